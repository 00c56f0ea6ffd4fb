"""Asks recorded questions of another model in thought: its tokens, its provider's cache, its prices, with ranges."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import fmean, median, pstdev

from farebox_ledger._whatif_cache import HOUR_S, MINUTES_5_S, Prompt, Rule, Split, heads_of, replay, rule_for
from farebox_ledger._whatif_luck import luck_of, retried
from farebox_ledger._whatif_price import Target
from farebox_ledger._whatif_tokens import Estimate, Slope, boundaries, slope_of, token_ratio
from farebox_ledger._whatif_traffic import Attempt, Call

__all__ = [
    "LIFETIMES",
    "Replay",
    "Replayed",
    "prompts_of",
    "replay_among",
    "replayed",
    "rule_as_asked",
    "turns_are_marked",
    "unread_of",
]

Z = 1.959963984540054
ANSWERS_MIN = 30
# How far another model's answers may be longer or shorter than these, where it was not measured on the route.
WORDINESS_LOW, WORDINESS_HIGH = 0.75, 1.6
# How far a cache may miss what the rules let it hit, where nothing was measured.
CACHE_MISSES = 0.1
# A cache is measured by what it should have read, from so many tokens on.
CACHE_TOKENS_MIN = 20_000
HEAD_TOLERANCE = 1.02
# So many reads of a head tell how far caches see it.
HEADS_SEEN_MIN = 5
FAR = 1.5
TOKENS_A_BYTE = 0.25
LIFETIMES = {"5m": MINUTES_5_S, "1h": HOUR_S, "none": 0.0}


@dataclass(frozen=True)
class Replayed:
    """The moved calls at the target: what those whose usage is known would cost, in USD.

    tokens: of the target for one of now. answers: output tokens of an answer. hit_saves: USD if all input were read
    from the cache rather than none. noise: by which share the cost may differ by luck, next time.
    """

    calls: int
    cost: Estimate
    tokens: Estimate
    answers: Estimate
    hit_rate: Estimate
    hit_rate_now: float
    hit_saves: Decimal
    noise: float


def replayed(moved: Sequence[Call], target_calls: Sequence[Call], target: Target, cache: str) -> Replayed:
    """Replay the moved calls; `target_calls` are those that the target answered, on whatever route."""
    known = [each for call in moved if (each := call.reported) is not None]
    asked_there = [each for call in target_calls if (each := call.reported) is not None]
    at_host = [each for each in asked_there if each.provider == target.provider]
    slopes = _slopes(known)
    busiest = max(((each.model) for each in known), key=[each.model for each in known].count, default=target.model)
    ratios = {
        model: token_ratio([each for each in known if each.model == model], asked_there, model, target.model)
        for model in {each.model for each in known}
    }
    tokens = ratios.get(busiest) or Estimate(1.0, 1.0, 1.0, "no usage is known of what would move")
    rule = rule_as_asked(rule_for(target.provider, target.model), at_host, cache)
    by_model = {model: each.value for model, each in ratios.items()}
    prompts = prompts_of(moved, slopes, by_model)
    unread = unread_of(moved, prompts, slopes, by_model, retries=rule.kind != "automatic")
    splits = replay_among(rule, prompts, unread)
    slower = [replace(each, ready_s=ready) for each, ready in zip(prompts, _ready(moved), strict=True)]
    late = replay_among(rule, slower, unread)
    efficiency = _efficiency(rule, known, at_host, target)
    first = [each for call in target_calls if not call.escalation and (each := call.reported) is not None]
    answers = _answers(known, first, asked_there, moved[0].first.route, tokens)
    automatic, luck = rule.kind == "automatic", luck_of(moved, automatic=rule.kind == "automatic")
    again = retried([call for call in target_calls if call.first.provider == target.provider], moved)
    there = Replay(splits, target, efficiency.value, again if automatic else 0.0, rule.minimum_tokens)
    inputs, outputs = float(there.inputs()), float(there.outputs(answers.value))
    cost = inputs + outputs
    others = (
        replace(there, splits=late),
        *(replace(there, efficiency=each) for each in (efficiency.low, efficiency.high)),
    )
    open_cache = max(abs(float(each.inputs()) - inputs) for each in others)
    below, above = (
        math.hypot(inputs * tokens.spread, outputs * math.hypot(tokens.spread, words), open_cache)
        for words in (1 - answers.low / (answers.value or 1), answers.high / (answers.value or 1) - 1)
    )
    rates, sizes = [each.hit_rate for each in (there, *others)], [prompt_tokens(split) for split in splits]
    reads = Z * luck.of_reads([split.read for split in splits], sizes) / (there.total or 1)
    saved = [each * float(target.prices.read_discount) for each in sizes]
    noise = Z * math.hypot(_worded(known, outputs), luck.of_cost(there.each(answers.value), saved))
    return Replayed(
        calls=len(moved),
        cost=Estimate(cost, max(0.0, cost - below), cost + above, "tokens × list prices of the book"),
        tokens=tokens,
        answers=answers,
        hit_rate=Estimate(
            rates[0],
            max(0.0, min(rates) - reads),
            min(1.0, max(rates) + reads),
            f"{rule.kind}: {rule.source}; {efficiency.basis}",
        ),
        hit_rate_now=sum(each.cache_read for each in known) / (sum(each.input_tokens or 0 for each in known) or 1),
        hit_saves=Decimal(there.total) * target.prices.read_discount,
        noise=noise / cost if cost else 0.0,
    )


@dataclass(frozen=True)
class Replay:
    """Prompts as a cache splits them, at a model's prices; `efficiency` is what of the reads comes true.

    retried: share of the prompts that meet themselves, since an attempt before was lost after it was cached; of those
    from `minimum` tokens on, which caches take.
    """

    splits: Sequence[Split]
    target: Target
    efficiency: float = 1.0
    retried: float = 0.0
    minimum: int = 0

    @property
    def total(self) -> float:
        """All input tokens."""
        return sum(map(prompt_tokens, self.splits))

    @property
    def read(self) -> float:
        """Input tokens that are read from the cache."""
        return sum(self._read(split) for split in self.splits)

    @property
    def written(self) -> float:
        """Input tokens that are written to it at a price."""
        return sum(split.write_5m + split.write_1h for split in self.splits)

    @property
    def hit_rate(self) -> float:
        """What of the input is read from the cache."""
        return self.read / self.total if self.total else 0.0

    def inputs(self) -> Decimal:
        """Price the input, in USD."""
        return sum((self._price(split) for split in self.splits), start=Decimal(0))

    def outputs(self, tokens: float) -> Decimal:
        """Price an answer of so many tokens to each prompt, in USD."""
        prices = self.target.prices
        totals = map(prompt_tokens, self.splits)
        return sum((prices.cost(total, {"output_tokens": tokens}) for total in totals), start=Decimal(0))

    def each(self, tokens: float) -> list[float]:
        """Price each prompt with an answer of so many tokens."""
        prices = self.target.prices
        answer = {"output_tokens": tokens}
        return [float(self._price(split) + prices.cost(prompt_tokens(split), answer)) for split in self.splits]

    def _read(self, split: Split) -> float:
        read = min(split.read * self.efficiency, split.read + split.uncached)
        return read + self.retried * (split.read + split.uncached - read) * (prompt_tokens(split) >= self.minimum)

    def _price(self, split: Split) -> Decimal:
        read = self._read(split)
        tokens = {
            "uncached_input_tokens": split.uncached + split.read - read,
            "cache_read_tokens": read,
            "cache_write_5m_tokens": split.write_5m,
            "cache_write_1h_tokens": split.write_1h,
        }
        return self.target.prices.cost(prompt_tokens(split), tokens)


def prompt_tokens(split: Split) -> float:
    """Count all tokens of a prompt."""
    return split.uncached + split.read + split.write_5m + split.write_1h


def turns_are_marked(calls: Sequence[Call], prompts: Sequence[Prompt]) -> bool:
    """Tell whether callers mark conversations too, and not their head alone: whether more than it was cached."""
    heads = heads_of(prompts)
    known = [each for call in calls if (each := call.reported) is not None]
    for attempt, prompt in zip(known, prompts, strict=True):
        head = heads.get(prompt.hashes[0]) if prompt.hashes else None
        cached = attempt.cache_read + attempt.write_5m + attempt.write_1h
        if head is not None and head < len(prompt.tokens) - 1 and cached > prompt.tokens[head] * HEAD_TOLERANCE:
            return True
    return False


def _worded(known: Sequence[Attempt], outputs: float) -> float:
    """Say by how many USD (one standard deviation) answers that cost so much differ, now and next time."""
    lengths = [float(each.output or 0) for each in known] or [0.0]
    mean = fmean(lengths)
    return math.sqrt(2 / len(known)) * pstdev(lengths) / mean * outputs if known and mean else 0.0


def rule_as_asked(rule: Rule, there: Sequence[Attempt], cache: str, *, turns: bool = True) -> Rule:
    """Set the lifetimes of marks: as asked, else as the provider's traffic in the ledger, else five minutes."""
    if rule.kind != "marked":
        return rule
    if cache == "none":
        return replace(rule, kind="none", source="nothing is marked, as asked")
    if cache:
        return replace(rule, head_s=LIFETIMES[cache], turn_s=LIFETIMES[cache] if turns else 0.0)
    wrote_1h, wrote_5m = (sum(getattr(each, name) > 0 for each in there) for name in ("write_1h", "write_5m"))
    if len(there) >= ANSWERS_MIN and not wrote_1h and not wrote_5m and not any(each.cache_read for each in there):
        return replace(rule, kind="none", source="nothing is marked in this model's traffic now")
    if wrote_1h:
        return replace(rule, head_s=HOUR_S, turn_s=MINUTES_5_S if wrote_5m else 0.0)
    return rule


def prompts_of(
    calls: Sequence[Call], slopes: Mapping[tuple[str, str], Slope | None], ratios: Mapping[str, float]
) -> list[Prompt]:
    """Lay out the prompts of the calls whose usage is known, in tokens of another model."""
    laid, known = [], []
    for call in calls:
        attempt = call.reported
        if attempt is None:
            continue
        ratio = ratios.get(attempt.model, 1.0)
        tokens = [each * ratio for each in boundaries(attempt, slopes.get((attempt.provider, attempt.model)))]
        hashes = attempt.hashes
        if not tokens:
            tokens, hashes = [float(attempt.input_tokens or 0) * ratio], (f"{attempt.call}",)
        known.append(attempt)
        laid.append(Prompt(attempt.at, attempt.task, "", hashes, tokens, call.goes_on, converted=ratio != 1))
    return _as_far_as_seen(laid, known, ratios)


def unread_of(
    calls: Sequence[Call],
    prompts: Sequence[Prompt],
    slopes: Mapping[tuple[str, str], Slope | None],
    ratios: Mapping[str, float],
    *,
    retries: bool,
) -> list[Prompt]:
    """Lay out the prompts that the model may have seen and whose usage never came: they are cached all the same.

    Without `retries` only those of calls of which no attempt has any: who asks again elsewhere is another's luck.
    """
    known = iter(prompts)
    laid = []
    for call in calls:
        like = None if call.reported is None else next(known)
        for attempt in call.attempts if retries or like is None else ():
            if attempt is call.reported or not attempt.reached or not attempt.size:
                continue
            slope = slopes.get((attempt.provider, attempt.model))
            rate = (slope.value if slope is not None else TOKENS_A_BYTE) * ratios.get(attempt.model, 1.0)
            tokens = [rate * size for size in attempt.sizes] if like is None else list(like.tokens)
            hashes = attempt.hashes if like is None else like.hashes
            laid.append(Prompt(attempt.at, attempt.task, "", hashes, tokens, call.goes_on))
    return laid


def replay_among(rule: Rule, prompts: Sequence[Prompt], unread: Sequence[Prompt]) -> list[Split]:
    """Replay prompts among others that nobody asks about; gives the splits of the former."""
    asked = set(map(id, prompts))
    both = sorted([*prompts, *unread], key=lambda each: each.at)
    return [split for each, split in zip(both, replay(rule, both), strict=True) if id(each) in asked]


def _as_far_as_seen(
    prompts: Sequence[Prompt], attempts: Sequence[Attempt], ratios: Mapping[str, float]
) -> list[Prompt]:
    """Let heads reach as far as automatic caches read on first turns: messages may begin alike, which no hash tells."""
    heads = heads_of(prompts)
    reads: dict[str, list[float]] = defaultdict(list)
    for prompt, attempt in zip(prompts, attempts, strict=True):
        head = heads.get(prompt.hashes[0])
        first_turn = head is not None and len(prompt.hashes) == head + 2
        if first_turn and attempt.cache_read and rule_for(attempt.provider, attempt.model).kind == "automatic":
            reads[prompt.hashes[0]].append(attempt.cache_read * ratios.get(attempt.model, 1.0))
    seen = {first: _usual(each) for first, each in reads.items() if len(each) >= HEADS_SEEN_MIN}
    far = []
    for prompt in prompts:
        head, reach = heads.get(prompt.hashes[0]), seen.get(prompt.hashes[0], 0.0)
        if head is not None and head < len(prompt.tokens) - 1 and reach:
            tokens = [*prompt.tokens]
            tokens[head] = min(reach, tokens[head + 1])
            far.append(replace(prompt, tokens=tokens, measured=head))
        else:
            far.append(prompt)
    return far


def _usual(reads: Sequence[float]) -> float:
    """Average what was read of a head, without prompts that met themselves and were read whole."""
    most = FAR * median(reads)
    return fmean([each for each in reads if each <= most])


def _slopes(attempts: Sequence[Attempt]) -> dict[tuple[str, str], Slope | None]:
    groups: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for each in attempts:
        groups[each.provider, each.model].append(each)
    return {key: slope_of(group) for key, group in groups.items()}


def _ready(calls: Sequence[Call]) -> list[float]:
    """Say how long each prompt's entry takes to be readable, if it is so from the first byte of the answer on."""
    return [each.first_byte_s for call in calls if (each := call.reported) is not None]


def _efficiency(rule: Rule, here: Sequence[Attempt], there: Sequence[Attempt], target: Target) -> Estimate:
    """Compare what automatic caches say that they read with what the rules do: on this route, else elsewhere."""
    if rule.kind != "automatic":
        return Estimate(1.0, 1.0 - CACHE_MISSES / 2, 1.0, "rules alone")
    there_here = [each for each in there if here and each.route == here[0].route]
    others = [each for each in here if rule_for(each.provider, each.model).kind == "automatic"]
    for words, attempts in (
        ("measured there, on this route", there_here),
        ("measured there", there),
        ("measured at the providers of now", others),
    ):
        by_host: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
        for each in attempts:
            by_host[each.provider, each.model].append(each)
        read, should = 0.0, 0.0
        for (provider, model), group in by_host.items():
            if provider != target.provider and not any(each.cache_read for each in group):
                continue  # a host that has no cache, or does not tell of it, says nothing of another's
            group.sort(key=lambda each: each.at)
            prompts = prompts_of([Call([each]) for each in group], {(provider, model): slope_of(group)}, {})
            for attempt, split in zip(group, replay(rule_for(provider, model), prompts), strict=True):
                should += split.read
                # Whether it was a hit, not how far it reached, which is the route's doing and measured there.
                read += split.read * (attempt.cache_read >= split.read / 2)
        if should >= CACHE_TOKENS_MIN:
            value = read / should
            high = min(1.0, value * (1 + CACHE_MISSES / 2))
            return Estimate(value, value * (1 - CACHE_MISSES / 2), high, f"hits × {value:.2f}, {words}")
    return Estimate(1.0, 1.0 - CACHE_MISSES, 1.0, "rules alone, nothing measured")


def _answers(
    known: Sequence[Attempt], first: Sequence[Attempt], there: Sequence[Attempt], route: str, tokens: Estimate
) -> Estimate:
    """Estimate the output tokens of an answer at the target: its own on this route, else these, converted."""
    asked_first = [float(each.output or 0) for each in first if each.route == route]
    if len(asked_first) >= ANSWERS_MIN:
        mean = fmean(asked_first)
        half = Z * pstdev(asked_first) / math.sqrt(len(asked_first))
        return Estimate(mean, mean - half, mean + half, f"{mean:,.0f} tokens, measured on this route")
    thought = fmean([float(each.reasoning) for each in there]) if there else 0.0
    said = fmean([float((each.output or 0) - each.reasoning) for each in known]) if known else 0.0
    mean = said * tokens.value + thought
    words = f"{mean:,.0f} tokens: as now, × {WORDINESS_LOW:g} to {WORDINESS_HIGH:g} as models differ"
    words += f", and {thought:,.0f} of reasoning" if thought else ""
    return Estimate(mean, mean * WORDINESS_LOW, mean * WORDINESS_HIGH, words)
