"""The article's hybrid router: the cheap model where it is good enough, the dear one where it pays.

    three tools or more, or a very long prompt   Haiku 4.5
    Chinese, Japanese or Arabic, or easy         Qwen 3.5 Flash, on one of four hosts
    the rest is ambiguous                        Qwen first; when that is bad, GPT-5.4-mini, then Sonnet 4.6

All that farebox needs are `wrap` around each client and `tags` around each task.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zlib import crc32

import anthropic
import httpx2
import openai

import farebox
from farebox_demo.questions import Answer, Question, problem_of
from farebox_demo.wording import (
    Pieces,
    chat_request,
    claude_request,
    read_completion,
    read_message,
)

__all__ = ["AsyncRouter", "Choice", "Model", "Router", "ladder"]

BROKEN = (anthropic.APIError, openai.APIError, httpx2.HTTPError)


@dataclass(frozen=True)
class Model:
    """A model and the host that serves it."""

    host: str
    name: str


HAIKU = Model("anthropic", "claude-haiku-4-5")
SONNET = Model("anthropic", "claude-sonnet-4-6")
GPT_MINI = Model("openai", "gpt-5.4-mini")
QWENS = (
    Model("fireworks", "accounts/fireworks/models/qwen3p5-flash"),
    Model("together", "Qwen/Qwen3.5-Flash"),
    Model("alibaba", "qwen3.5-flash"),
    Model("openrouter", "qwen/qwen3.5-flash-02-23"),
)
OPENAI_PATHS = {
    "openai": "/v1",
    "fireworks": "/inference/v1",
    "together": "/v1",
    "alibaba": "/compatible-mode/v1",
    "openrouter": "/api/v1",
}

MANY_TOOLS = 3
LONG_CHARACTERS = 24_000
EAST = re.compile(r"[\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff]")


def ladder(question: Question) -> tuple[Model, ...]:
    """Choose the models to ask, in order; the next is asked only when the answer before it was bad."""
    # A conversation stays on one host, where its prefix is cached.
    qwen = QWENS[crc32(question.messages[0]["content"].encode()) % len(QWENS)]
    if len(question.tools) >= MANY_TOOLS or len(question.text) > LONG_CHARACTERS:
        return (HAIKU,)
    if EAST.search(question.text) or not question.tools:
        return (qwen,)
    return (qwen, GPT_MINI, SONNET)


# Names the models to ask, in order; the next is asked only when the answer before it was bad.
Choice = Callable[[Question], tuple[Model, ...]]


class Router:
    """Answers questions on the caller's thread; one router serves many threads. choose: another way than `ladder`."""

    def __init__(self, url: str, api_key: str, choose: Choice | None = None, **tags: str) -> None:
        self.choose = choose or ladder
        self.claude = farebox.wrap(
            anthropic.Anthropic(base_url=f"{url}/anthropic", api_key=api_key), provider="anthropic", **tags
        )
        self.others = {
            host: farebox.wrap(openai.OpenAI(base_url=f"{url}/{host}{path}", api_key=api_key), provider=host, **tags)
            for host, path in OPENAI_PATHS.items()
        }

    def answer(self, question: Question) -> list[Answer]:
        """Ask model after model until one answers well; the last answer is the one to use."""
        answers = []
        with farebox.tags(route=question.route, task=question.task, user=question.user, tenant=question.tenant):
            for model in self.choose(question):
                with _asking(model, question) as answer:
                    (self._ask_claude if model.host == "anthropic" else self._ask_other)(model, question, answer)
                answers.append(answer)
                if not answer.problem:
                    break
        return answers

    def _ask_claude(self, model: Model, question: Question, answer: Answer) -> None:
        request = claude_request(model.name, question, answer.request_id)
        if question.show is None:
            read_message(self.claude.messages.create(**request), answer)
            return
        with self.claude.messages.stream(**request) as stream:
            for text in stream.text_stream:
                if not question.show(text):
                    answer.left = True
                    return
            read_message(stream.get_final_message(), answer)

    def _ask_other(self, model: Model, question: Question, answer: Answer) -> None:
        request = chat_request(model.name, question, answer.request_id)
        completions = self.others[model.host].chat.completions
        if question.show is None:
            read_completion(completions.create(**request), answer)
            return
        pieces = Pieces()
        with completions.create(**request, stream=True) as stream:
            for chunk in stream:
                if not pieces.add(chunk, question.show):
                    answer.left = True
                    return
        pieces.read(answer)

    def close(self) -> None:
        """Close the clients' connections."""
        self.claude.close()
        for client in self.others.values():
            client.close()


class AsyncRouter:
    """The same on asyncio."""

    def __init__(self, url: str, api_key: str, choose: Choice | None = None, **tags: str) -> None:
        self.choose = choose or ladder
        self.claude = farebox.wrap(
            anthropic.AsyncAnthropic(base_url=f"{url}/anthropic", api_key=api_key), provider="anthropic", **tags
        )
        self.others = {
            host: farebox.wrap(
                openai.AsyncOpenAI(base_url=f"{url}/{host}{path}", api_key=api_key), provider=host, **tags
            )
            for host, path in OPENAI_PATHS.items()
        }

    async def answer(self, question: Question) -> list[Answer]:
        """Ask model after model until one answers well; the last answer is the one to use."""
        answers = []
        with farebox.tags(route=question.route, task=question.task, user=question.user, tenant=question.tenant):
            for model in self.choose(question):
                with _asking(model, question) as answer:
                    await (self._ask_claude if model.host == "anthropic" else self._ask_other)(model, question, answer)
                answers.append(answer)
                if not answer.problem:
                    break
        return answers

    async def _ask_claude(self, model: Model, question: Question, answer: Answer) -> None:
        request = claude_request(model.name, question, answer.request_id)
        if question.show is None:
            read_message(await self.claude.messages.create(**request), answer)
            return
        async with self.claude.messages.stream(**request) as stream:
            async for text in stream.text_stream:
                if not question.show(text):
                    answer.left = True
                    return
            read_message(await stream.get_final_message(), answer)

    async def _ask_other(self, model: Model, question: Question, answer: Answer) -> None:
        request = chat_request(model.name, question, answer.request_id)
        completions = self.others[model.host].chat.completions
        if question.show is None:
            read_completion(await completions.create(**request), answer)
            return
        pieces = Pieces()
        async with await completions.create(**request, stream=True) as stream:
            async for chunk in stream:
                if not pieces.add(chunk, question.show):
                    answer.left = True
                    return
        pieces.read(answer)

    async def close(self) -> None:
        """Close the clients' connections."""
        await self.claude.close()
        for client in self.others.values():
            await client.close()


@contextmanager
def _asking(model: Model, question: Question) -> Iterator[Answer]:
    """Judge the answer, time it, and make an answer, if a bad one, of every way in which a call can fail."""
    answer = Answer(model.name, request_id=str(uuid.uuid4()))
    started = time.monotonic()
    try:
        yield answer
    except BROKEN:
        answer.problem, answer.left = "broken", True
    except ValueError:  # Anthropic's stream helper raises it on tool arguments that are no JSON.
        answer.problem, answer.left = "malformed", True
    answer.seconds = time.monotonic() - started
    answer.problem = problem_of(question, answer)
