"""The row that says at which prompts answers fail: their length, language and version, and the tools they call."""

from __future__ import annotations

from farebox_dashboards._panels import COUNT, SHARE, Column, Panel, Row, listing

__all__ = ["BY"]

RATES = ("rate", "at least", "at most", "hedging", "overconfidence", "malformed calls")


def _judged(title: str, description: str, question: str, value: str) -> Panel:
    return listing(
        title,
        description,
        question,
        "currencyUSD",
        columns={
            value: Column(width=130),
            **dict.fromkeys(("answers", "bad"), COUNT),
            **dict.fromkeys(RATES, SHARE),
        },
        width=24,
        height=7,
    )


def _by_length() -> Panel:
    return _judged(
        "By length of the prompt",
        "Whether long prompts are answered worse: disqualified answers of those checked, by input tokens.",
        "failures_by_prompt_length",
        "input tokens",
    )


def _by_version() -> Panel:
    return _judged(
        "By version of the prompt",
        "Disqualified answers of those checked, by the tag prompt_version that the application sets.",
        "failures_by_prompt_version",
        "prompt version",
    )


def _by_language() -> Panel:
    return _judged(
        "By language",
        "Disqualified answers of those checked, by the language of the prompt where it was told.",
        "failures_by_language",
        "language",
    )


def _by_tool() -> Panel:
    return listing(
        "By tool",
        "Answers that called each tool, and the share of them in which a call of it was malformed.",
        "failures_by_tool",
        "currencyUSD",
        columns={
            "tool": Column(width=150),
            **dict.fromkeys(("answers", "malformed"), COUNT),
            **dict.fromkeys(("rate", "at least", "at most"), SHARE),
        },
        width=24,
        height=7,
    )


BY = Row("At which prompts and tools", (_by_length(), _by_version(), _by_language(), _by_tool()))
