"""What judging an answer costs: microseconds of the recorder thread, and how hostile answers are bounded.

    python tests/benchmarks/detectors.py [--check]

The floor is one strict parse of the same answer as the provider sends it (jiter), which whoever reads an answer pays;
ratios to it carry over between machines, microseconds do not. Every answer is another text, so that nothing is
remembered from one to the next but what real traffic repeats: tools, schemas and system prompts. With --check it exits
1 above the bars.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

import jiter

from farebox.detectors import Answer, Call, Choice, detectors, examine
from farebox.detectors.tool_call_malformed import check as check_calls

CHARACTERS = 1_000
ANSWERS = 400
ANSWER_US_MAX = 400
CALL_US_MAX = 10
HOSTILE_S_MAX = 1.5
HOSTILE_BYTES_MAX = 64 * 1024 * 1024
MEGABYTE = 1_000_000

SYSTEM = "You work in customer support. Answer in the customer's language, in plain words."
SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "cents": {"type": "integer", "minimum": 0},
        "queue": {"enum": ["billing", "shipping", "account"]},
    },
    "required": ["order", "cents"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "function": {"name": "refund", "parameters": SCHEMA}}]
WORDS = [
    *("the", "the", "the", "the", "the", "of", "of", "and", "and", "is", "to", "to", "for", "in", "that", "it", "you"),
    *("order", "was", "charged", "once", "refunded", "same", "day", "so", "balance", "on", "account", "correct"),
    *("settings", "page", "choose", "billing", "tab", "address", "can", "be", "changed", "there", "return", "label"),
    *("valid", "fourteen", "days", "printed", "again", "from", "history", "export", "runs", "every", "night", "at"),
    *("keeps", "last", "ninety", "both", "invoices", "carry", "number", "because", "second", "corrected", "copy"),
    *("delay", "comes", "carrier", "parcel", "has", "been", "depot", "since", "tuesday", "password", "reset", "ends"),
]
HAN = "订单只扣款一次退款已于当天完成账户余额没有问题请打开设置页面选择账单标签就可以在那里修改地址退货有效期为十四天"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit 1 above the bars")
    check = parser.parse_args().check
    problems = [*answers(), *calls(), *hostile()]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if check and problems else 0


def answers() -> Iterator[str]:
    """Time all detectors together on answers of CHARACTERS, by kind, and say what is above the bar."""
    names = [each.name for each in detectors()]
    print(f"{len(names)} detectors on answers of {CHARACTERS:,} characters, {ANSWERS} of each kind, in microseconds")
    print(f"{'answer':16} {'median':>8} {'p95':>8} {'floor':>8} {'times the floor':>16}")
    medians = []
    for kind, make in KINDS.items():
        draw = random.Random(kind)
        made = [make(draw) for _ in range(ANSWERS)]
        for each in made[:20]:
            examine(asked(each))
        times = [timed(partial(examine, asked(each))) for each in made]
        floor = statistics.median(timed(partial(jiter.from_json, body(each))) for each in made)
        median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        medians.append(median)
        print(f"{kind:16} {median:8.0f} {p95:8.0f} {floor:8.1f} {median / floor:15.0f}x")
    whole = statistics.median(medians)
    print(f"{'median of kinds':16} {whole:8.0f}   (bar {ANSWER_US_MAX})\n")
    if whole > ANSWER_US_MAX:
        yield f"an answer takes {whole:.0f} us, the bar is {ANSWER_US_MAX}"


def calls() -> Iterator[str]:
    """Time the check of one tool call whose schema is compiled."""
    draw = random.Random(1)
    made = [json.dumps({"order": f"A-{draw.randrange(10**6)}", "cents": draw.randrange(10**4)}) for _ in range(4_000)]
    judged = [Answer({"tools": TOOLS}, (Choice(calls=(Call("refund", each),)),)) for each in made]
    for each in judged:
        assert each.tools.tools  # reading a request's tools is no part of a call's check
    check_calls(judged[0])
    times = [timed(partial(check_calls, each)) for each in judged]
    floor = statistics.median(timed(partial(jiter.from_json, each.encode())) for each in made)
    median = statistics.median(times)
    ratio = f"{median / floor:.0f}x one parse of its arguments"
    print(f"one tool call, cached: {median:.1f} us, {ratio} (bar {CALL_US_MAX})\n")
    if median > CALL_US_MAX:
        yield f"a tool call takes {median:.1f} us, the bar is {CALL_US_MAX}"


def hostile() -> Iterator[str]:
    """Time what is made to hang or exhaust a detector; the memory is measured in a run of its own."""
    examine(asked("Hello there, this warms the patterns up."))
    ordinary = statistics.median(timed(lambda: examine(asked(prose(random.Random(2))))) for _ in range(50))
    print(f"{'hostile answer':28} {'ms':>8} {'ordinary answers':>17} {'MB':>6}  not checked")
    for name, judged in HOSTILE.items():
        seconds = min(timed(partial(examine, judged())) for _ in range(2)) / 1e6
        one = judged()
        tracemalloc.start()
        found = examine(one)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        left = [flag.partition(".")[2] for flag in found["farebox.flags"] or () if flag.startswith("not_checked.")]
        print(f"{name:28} {seconds * 1e3:8.1f} {seconds * 1e6 / ordinary:16.0f}x {peak / 1e6:6.1f}  {len(left)}")
        if seconds > HOSTILE_S_MAX or peak > HOSTILE_BYTES_MAX:
            yield f"{name} takes {seconds:.2f} s and {peak:,} bytes"


def timed(run: Callable[[], object]) -> float:
    """Return the thread's microseconds that a run takes."""
    began = time.thread_time_ns()
    run()
    return (time.thread_time_ns() - began) / 1000


def asked(text: str, prompt: str = "Where is my order, and what was I charged for it?", **fields: object) -> Answer:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
    return Answer({"messages": messages, "tools": TOOLS, **fields}, (Choice(text, stop_reason="stop"),))


def body(text: str) -> bytes:
    """A completion with this text, as it comes over the wire."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": 250, "total_tokens": 1150}
    return json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def prose(draw: random.Random) -> str:
    text = ""
    while len(text) < CHARACTERS:
        text += " ".join(draw.choices(WORDS, k=draw.randint(8, 20))).capitalize() + ". "
    return text[:CHARACTERS]


def chinese(draw: random.Random) -> str:
    return "".join(draw.choices(HAN, k=18)) + "。" + "".join(
        "".join(draw.choices(HAN, k=draw.randint(8, 20))) + "，" for _ in range(CHARACTERS // 14)
    )[: CHARACTERS - 19]  # fmt: skip


def code(draw: random.Random) -> str:
    lines = ["import csv, json", "from pathlib import Path", "import pandas as pd", ""]
    while sum(map(len, lines)) < CHARACTERS * 2 // 3:
        name = f"{draw.choice(WORDS)}_{draw.randrange(1000)}"
        lines.append(
            f"def {name}(rows):\n    return json.dumps([csv.reader(r) for r in rows if r[{draw.randrange(9)}]])"
        )
    return prose(draw)[: CHARACTERS // 4] + "\n\n```python\n" + "\n".join(lines) + "\n```"


def markdown(draw: random.Random) -> str:
    lines: list[str] = []
    while sum(map(len, lines)) < CHARACTERS:
        lines.append(
            f"- **{draw.choice(WORDS)}**: {' '.join(draw.choices(WORDS, k=9))} (see https://example.com/{len(lines)})"
        )
    return "\n".join(lines)[:CHARACTERS]


def structured(draw: random.Random) -> str:
    rows = [{"order": f"A-{draw.randrange(10**6)}", "note": " ".join(draw.choices(WORDS, k=6))} for _ in range(14)]
    return json.dumps({"rows": rows})


KINDS: dict[str, Callable[[random.Random], str]] = {
    "English prose": prose,
    "Chinese prose": chinese,
    "code": code,
    "Markdown": markdown,
    "JSON": structured,
}


def called(arguments: str, tools: list[dict[str, object]]) -> Answer:
    return Answer({"tools": tools}, (Choice(calls=(Call("f", arguments),), stop_reason="tool_calls"),))


def function(schema: dict[str, object], name: str = "f") -> dict[str, object]:
    return {"type": "function", "function": {"name": name, "parameters": schema}}


BAIT = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
HOSTILE: dict[str, Callable[[], Answer]] = {
    "a megabyte of prose": lambda: asked(" ".join(random.Random(3).choices(WORDS, k=MEGABYTE // 5))),
    "a megabyte of spaces": lambda: asked(" " * MEGABYTE + "x"),
    "a megabyte of fences": lambda: asked("```python\n" * (MEGABYTE // 10)),
    "a million brackets": lambda: asked("[" * MEGABYTE, response_format={"type": "json_object"}),
    "arguments 200 deep": lambda: called('{"x":' * 199 + "1" + "}" * 199, [function({"type": "object"})]),
    "arguments 100,000 deep": lambda: called("[" * 100_000, [function({"type": "object"})]),
    "a pattern's bait": lambda: called(json.dumps({"x": "a" * 30_000 + "!"}), [function(BAIT)]),
    "4,000 tools": lambda: called("{}", [function(SCHEMA, f"f{number}") for number in range(4_000)]),
    "2,000 tools": lambda: called("{}", [function(SCHEMA, f"f{number}") for number in range(2_000)]),
    "50,000 characters of code": lambda: asked("```python\n" + "x = [1, 2, 3]\n" * 3_500 + "```"),
    "a megabyte of one word": lambda: asked("sorry " * (MEGABYTE // 6)),
}

if __name__ == "__main__":
    sys.exit(main())
