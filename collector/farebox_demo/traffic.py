"""Sends the planned tasks through the router, half of them on threads and half on asyncio, and tells how it went."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from farebox_demo.questions import Answer, Question
from farebox_demo.router import AsyncRouter, Choice, Router
from farebox_demo.workload import Conversation, Task

__all__ = ["Tally", "Traffic"]

THREADS = 16
ASYNC_TASKS = 24
API_KEY = "demo-key"  # the simulated providers take any
LOOK_EVERY_S = 0.1


@dataclass
class Tally:
    """What the callers saw, counted under a lock.

    `left` holds the request ids of calls that a caller stopped listening to, or may have (an attempt inside may have
    timed out): the only ones whose usage the provider may have sent and nobody received.
    """

    turns: int = 0
    calls: int = 0
    escalations: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    left: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, question: Question, answers: list[Answer]) -> None:
        """Count one turn and the calls it took."""
        with self.lock:
            self.turns += 1
            self.calls += len(answers)
            self.escalations += len(answers) - 1
            for answer in answers:
                if answer.problem is not None:
                    self.problems[answer.problem] += 1
                if answer.left or (question.timeout_s is not None and answer.seconds >= question.timeout_s):
                    self.left.add(answer.request_id)


class Traffic:
    """One run of the demo's callers against the providers at `url`; `choose` is the router's, tags are each call's."""

    def __init__(self, url: str, choose: Choice | None = None, **tags: str) -> None:
        self.tally = Tally()
        self._url = url
        self._choose = choose
        self._tags = tags
        self._stop = threading.Event()

    def run(self, tasks: Iterable[Task], look: Callable[[], None]) -> None:
        """Run all tasks to their end, calling `look` now and then; an exception in a caller or in `look` stops all."""
        tasks = list(tasks)
        router = Router(self._url, API_KEY, self._choose, **self._tags)
        with ThreadPoolExecutor(THREADS + 1, thread_name_prefix="caller") as pool:
            futures = [pool.submit(asyncio.run, self._run_async([task for task in tasks if task.on_asyncio]))]
            futures += [pool.submit(self._converse, router, task) for task in tasks if not task.on_asyncio]
            try:
                _watch(futures, look)
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
            finally:
                router.close()

    def trickle(self, tasks: Iterable[Task], pause_s: float, look: Callable[[], None]) -> None:
        """Run tasks one after another on this thread, with a pause and a `look` after each."""
        router = Router(self._url, API_KEY, self._choose, **self._tags)
        try:
            for task in tasks:
                self._converse(router, task)
                look()
                time.sleep(pause_s)
        finally:
            router.close()

    def _converse(self, router: Router, task: Task) -> None:
        conversation = Conversation(task)
        for turn in task.turns:
            if self._stop.is_set():
                return
            question = conversation.ask(turn)
            answers = router.answer(question)
            self.tally.count(question, answers)
            conversation.hear(answers[-1])

    async def _run_async(self, tasks: list[Task]) -> None:
        router = AsyncRouter(self._url, API_KEY, self._choose, **self._tags)
        waiting = iter(tasks)

        async def worker() -> None:
            for task in waiting:
                await self._converse_async(router, task)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(ASYNC_TASKS):
                    group.create_task(worker())
        finally:
            await router.close()

    async def _converse_async(self, router: AsyncRouter, task: Task) -> None:
        conversation = Conversation(task)
        for turn in task.turns:
            if self._stop.is_set():
                return
            question = conversation.ask(turn)
            answers = await router.answer(question)
            self.tally.count(question, answers)
            conversation.hear(answers[-1])


def _watch(futures: list[Future[None]], look: Callable[[], None]) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=LOOK_EVERY_S)
        for future in done:
            future.result()
        look()
