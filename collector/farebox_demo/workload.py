"""Plans the demo's traffic from a seed: tasks on four routes, of one or more turns each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

from farebox_demo.questions import Answer, Question, Tool

__all__ = ["Conversation", "Task", "Turn", "plan"]

# How many of a hundred tasks are on each route.
SHARES = {"easy": 38, "hard": 10, "multilingual": 26, "support-triage": 26}
TENANTS = ("acme", "globex", "initech", "umbrella")
USERS = 40

STREAMED = 0.55
LEAVING = 0.04
IMPATIENT = 0.4
PATIENCE_S = 1.5
EXTRACTIONS = 0.3
LONG = 0.3
VERY_LONG = 0.05
VERY_LONG_CHARACTERS = 560_000
# Some callers set max_tokens too low for a good answer.
TOKENS_MAX = 600
TOKENS_MAX_LOW = 40
LOW = {"easy": 0.01, "hard": 0.01, "multilingual": 0.01, "support-triage": 0.08}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _open_object(**properties: Any) -> dict[str, Any]:
    """Many a schema does not say whether it takes other properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


TEXT = {"type": "string"}
NUMBER = {"type": "integer"}

TRIAGE_TOOLS = (
    Tool(
        "file_ticket",
        "Put a ticket into a queue.",
        _object(
            queue={"type": "string", "enum": ["billing", "shipping", "account", "bug"]}, priority=NUMBER, summary=TEXT
        ),
    ),
    Tool("refund", "Refund an order, in cents.", _open_object(order=TEXT, cents=NUMBER, reason=TEXT)),
)
AGENT_TOOLS = (
    *TRIAGE_TOOLS,
    Tool("find_orders", "List a customer's orders.", _object(customer=TEXT, days=NUMBER)),
    Tool(
        "read_invoice", "Read the lines of an invoice.", _object(invoice=TEXT, lines={"type": "array", "items": NUMBER})
    ),
    Tool(
        "change_address",
        "Change where an order goes.",
        _object(order=TEXT, address=_object(street=TEXT, city=TEXT, postcode=TEXT)),
    ),
)
EXTRACTION = _object(customer=TEXT, order=TEXT, cents=NUMBER, urgent={"type": "boolean"}, summary=TEXT)

EASY = (
    "How do I change the billing address of order {n}?",
    "Where is the parcel of order {n}?",
    "Explain in at most 30 words why order {n} is late.",
    "Write a Python script that sums the refunds in export {n}.csv by customer.",
    "Can I merge accounts {n} and {n}-b?",
)
EXTRACT = (
    "Extract the customer, the order and the amount from this mail: 'Order {n} came broken, I want my 49.90 back.'"
)
MULTILINGUAL = (
    "订单{n}的包裹在哪里？请告诉我什么时候能到。",
    "我想修改订单{n}的账单地址，应该怎么做？",
    "注文{n}の荷物はどこにありますか。いつ届きますか。",
    "注文{n}を返品したいのですが、手順を教えてください。",
    "أين الطرد الخاص بالطلب رقم {n}؟ ومتى يصل؟",
    "كيف يمكنني تغيير عنوان الفاتورة للطلب رقم {n}؟",
)
TRIAGE = (
    "Ticket {n}: I was charged twice this month, please fix it.",
    "Ticket {n}: the app says my parcel arrived, but it did not.",
    "Ticket {n}: I cannot log in since the update and my team is waiting.",
)
HARD = (
    "Case {n}: find out why the customer was charged three times, refund what is wrong and tell them.",
    "Case {n}: two orders went to the old address; change them and see whether any can still be stopped.",
)
FOLLOW_UPS = ("And for the month before?", "Please do it.", "What else should the customer know?")
LONG_QUESTION = "Read the log of case {n} and say what went wrong first.\n\n{log}"
LOG_LINE = "{n} 2026-11-20T10:{minute:02}:00Z worker-{worker} order {order} moved to state {state} after {ms} ms\n"
RULE = "Rule {n}: on {topic}, check the order first, then the invoice, and answer within {words} words.\n"
TOPICS = (
    "refunds",
    "late parcels",
    "double charges",
    "address changes",
    "lost passwords",
    "tax",
    "exports",
    "discounts",
)


@dataclass(frozen=True)
class Turn:
    """What the user says next, and how they wait for the answer."""

    text: str
    json_schema: dict[str, Any] | None = None
    max_tokens: int = TOKENS_MAX
    streamed: bool = False
    leaves: bool = False
    timeout_s: float | None = None


@dataclass(frozen=True)
class Task:
    """A conversation on one route, for one user; `on_asyncio` says which half of the demo runs it."""

    name: str
    route: str
    user: str
    tenant: str
    system: str
    tools: tuple[Tool, ...]
    turns: tuple[Turn, ...]
    on_asyncio: bool


class Conversation:
    """The history of a task: what was said so far goes along with each question."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._messages: list[dict[str, str]] = []
        self._tool_results = ""

    def ask(self, turn: Turn) -> Question:
        """Word a turn as a question, the tools' results before it."""
        task = self._task
        self._messages.append({"role": "user", "content": self._tool_results + turn.text})
        return Question(
            route=task.route,
            task=task.name,
            user=task.user,
            tenant=task.tenant,
            system=task.system,
            messages=tuple(self._messages),
            tools=task.tools,
            json_schema=turn.json_schema,
            goes_on=turn is not task.turns[-1],
            max_tokens=turn.max_tokens,
            show=(lambda _: not turn.leaves) if turn.streamed else None,
            timeout_s=turn.timeout_s,
        )

    def hear(self, answer: Answer) -> None:
        """Add an answer, and run the tools it calls; they always succeed."""
        calls = ", ".join(call.name for call in answer.tool_calls)
        self._messages.append({"role": "assistant", "content": answer.text or f"(calls {calls or 'nothing'})"})
        self._tool_results = f"Tool result of {calls}: done.\n" if calls else ""


def plan(calls: int, seed: int, prefix: str = "task") -> list[Task]:
    """Plan tasks with that many turns or a few more; each turn makes at least one call.

    `prefix` begins the tasks' names and changes nothing else.
    """
    random = Random(seed)
    tasks: list[Task] = []
    turns = 0
    while turns < calls:
        task = _task(len(tasks) + 1, prefix, random)
        tasks.append(task)
        turns += len(task.turns)
    return tasks


def _task(number: int, prefix: str, random: Random) -> Task:
    (route,) = random.choices(list(SHARES), list(SHARES.values()))
    is_long = route == "hard" and random.random() < LONG
    return Task(
        name=f"{prefix}-{number}",
        route=route,
        user=f"user-{random.randrange(USERS)}",
        tenant=random.choice(TENANTS),
        system=SYSTEMS[route],
        tools=() if is_long else TOOLS.get(route, ()),
        turns=_long_turns(number, random) if is_long else TURNS[route](number, random),
        on_asyncio=random.random() < 0.5,
    )


def _turn(route: str, text: str, random: Random, **options: Any) -> Turn:
    streamed = random.random() < STREAMED
    return Turn(
        text,
        max_tokens=TOKENS_MAX_LOW if random.random() < LOW[route] else TOKENS_MAX,
        streamed=streamed,
        leaves=streamed and random.random() < LEAVING,
        **options,
    )


def _easy_turns(number: int, random: Random) -> tuple[Turn, ...]:
    if random.random() < EXTRACTIONS:
        return (_turn("easy", EXTRACT.format(n=number), random, json_schema=EXTRACTION),)
    return (_turn("easy", random.choice(EASY).format(n=number), random),)


def _multilingual_turns(number: int, random: Random) -> tuple[Turn, ...]:
    return (_turn("multilingual", random.choice(MULTILINGUAL).format(n=number), random),)


def _triage_turns(number: int, random: Random) -> tuple[Turn, ...]:
    return _with_follow_ups("support-triage", random.choice(TRIAGE).format(n=number), random.randint(0, 1), random)


def _hard_turns(number: int, random: Random) -> tuple[Turn, ...]:
    return _with_follow_ups("hard", random.choice(HARD).format(n=number), random.randint(1, 3), random)


def _with_follow_ups(route: str, text: str, follow_ups: int, random: Random) -> tuple[Turn, ...]:
    return tuple(_turn(route, each, random) for each in (text, *random.choices(FOLLOW_UPS, k=follow_ups)))


def _long_turns(number: int, random: Random) -> tuple[Turn, ...]:
    characters = VERY_LONG_CHARACTERS if random.random() < VERY_LONG else random.randint(30_000, 60_000)
    text = LONG_QUESTION.format(n=number, log=_log(number, characters, random))
    return (_turn("hard", text, random, timeout_s=PATIENCE_S if random.random() < IMPATIENT else None),)


def _log(number: int, characters: int, random: Random) -> str:
    lines = [
        LOG_LINE.format(
            n=number,
            minute=random.randrange(60),
            worker=random.randrange(16),
            order=random.randrange(10**6),
            state=random.randrange(9),
            ms=random.randrange(5000),
        )
        for _ in range(characters // len(LOG_LINE))
    ]
    return "".join(lines)


def _handbook(title: str, characters: int) -> str:
    """Write a system prompt of about that length; as in real life, most of it is rules."""
    text = f"You work in customer support. {title}\n"
    for number in count(1):
        if len(text) >= characters:
            return text
        text += RULE.format(n=number, topic=TOPICS[number % len(TOPICS)], words=40 + number % 60)
    raise AssertionError("unreachable")


# Long enough to be cached: from 4096 tokens on by Haiku, from 1024 by the others.
SYSTEMS = {
    "easy": _handbook("Answer in plain words.", 5_000),
    "hard": _handbook("Use the tools until the case is closed.", 16_000),
    "multilingual": _handbook("Answer in the customer's language.", 600),
    "support-triage": _handbook("Put each ticket where it belongs.", 6_500),
}
TOOLS = {"hard": AGENT_TOOLS, "support-triage": TRIAGE_TOOLS}
TURNS = {
    "easy": _easy_turns,
    "hard": _hard_turns,
    "multilingual": _multilingual_turns,
    "support-triage": _triage_turns,
}
