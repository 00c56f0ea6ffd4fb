"""Seeded histories of what routes spend, minute by minute, and the spend spike rule worked out again in Python.

A history has the rhythm of days and weeks, growth, a wobble of its own, and at times a launch or a job that starts at
the same time each day; calls come at random and cost different amounts. The second opinion is held against the SQL, and
is quick enough for every minute of hundreds of weeks.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from clickhouse_connect.driver.client import Client

__all__ = ["BEGIN", "DAY", "Floats", "History", "Watch", "histories", "ledger_of", "moment"]

DAY = 1440
HISTORY_DAYS = 8
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Watch:
    """What a rule looks at: steps of so many minutes, the level before them in steps, the least excess in USD."""

    step: int
    level: int
    floor: float
    above: float
    pending: int

    def deviations(self, usd: Floats, ends: Sequence[int] | np.ndarray[Any, Any]) -> Floats:
        """Give the deviations at the end of each of these minutes; needs a history from the beginning on."""
        until = np.asarray(ends)
        total = np.concatenate([[0.0], np.cumsum(usd)])
        window, bin_ = 10 * self.step, 5 * self.step
        grain = 0.67 * self.floor
        level_today = total[until - window] - total[until - window - self.level * self.step]
        days = self._days(usd, until)
        usual, peaks, roughness = (np.full((7, len(until)), np.nan) for _ in range(3))
        for day in range(1, 8):
            end = until - day * DAY
            before = total[end - window] - total[end - window - self.level * self.step]
            times = np.clip((level_today + grain) / (before + grain), 0.25, 4)
            first = end - 25 * self.step
            bins = np.stack([total[first + bin_ * (i + 1)] - total[first + bin_ * i] for i in range(8)])
            whole = bins.sum(0)
            squares = (np.diff(bins, axis=0) ** 2).sum(0) / 14
            usual[day - 1] = bins[2:6].mean(0) * times
            peaks[day - 1] = bins.max(0) * times
            roughness[day - 1] = np.where(whole > 0, squares / np.maximum(whole / 8, 1e-300), 0)
            for each in (usual, peaks, roughness):
                each[day - 1, days < day] = np.nan
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # routes without a day of history
            expected = np.nan_to_num(np.nanmedian(usual, 0))
            peak = np.nan_to_num(np.fmax(np.nanmedian(peaks, 0), peaks[6]))
            rough = np.fmax(np.nanmedian(roughness, 0), 0.02 * self.floor)
        most = np.zeros(len(until))
        for n in range(2, 11):
            spent = total[until] - total[until - n * self.step]
            share = expected * n / 5
            apart = 2 * (np.sqrt(np.maximum(spent, 0)) - np.sqrt(share)) / np.sqrt(rough + 0.0225 * share)
            counts = (spent - share >= self.floor) & (spent > 1.2 * peak * max(n, 5) / 5)
            most = np.maximum(most, np.where(counts, apart, 0))
        return most * np.where(days >= 7, 1, np.where(days >= 3, 0.75, 0))

    def _days(self, usd: Floats, until: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Count the days of which all that is compared came after the hour of the route's first call."""
        first_hour = int(np.flatnonzero(usd)[0]) // 60 * 60
        return np.clip((until - first_hour - (10 + self.level) * self.step) // DAY, 0, 7)

    def fires(self, deviations: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Say in which minutes an alert fires: above the threshold, and for so many minutes before."""
        over = deviations > self.above
        held = over.copy()
        for minutes in range(1, self.pending + 1):
            held[minutes:] &= over[:-minutes]
            held[:minutes] = False
        return held


@dataclass(frozen=True)
class History:
    """What one route spends: `level` is what is to be expected of ten minutes, `usd` what a minute really took.

    job: the minute of the day at which a job of its own starts; None: there is none.
    """

    level: Floats
    usd: Floats
    call_usd: float
    variation: float
    job: int | None

    def near_job(self, minute: int) -> bool:
        """Say whether a daily job starts within an hour of a minute."""
        return self.job is not None and min((minute - self.job) % DAY, (self.job - minute) % DAY) <= 60

    def spiking(self, random: np.random.Generator, at: int, minutes: int, factor: float = 3) -> Floats:
        """Give the same history with some minutes made anew, at several times the level."""
        spiked = self.usd.copy()
        spiked[at : at + minutes] = _spend(
            random, self.level[at : at + minutes] * factor, self.call_usd, self.variation
        )
        return spiked


def histories(seed: int, count: int, days: int, usd_min: float, usd_max: float) -> Iterator[History]:
    """Make histories of so many days after the first eight, at levels between two numbers of USD in ten minutes."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        shape, job = _shape(random, HISTORY_DAYS + days)
        level = shape * np.exp(random.uniform(np.log(usd_min), np.log(usd_max)))
        call_usd, variation = np.exp(random.uniform(np.log(0.002), np.log(0.02))), random.uniform(0.3, 1.2)
        yield History(level, _spend(random, level, call_usd, variation), float(call_usd), float(variation), job)


def _shape(random: np.random.Generator, days: int) -> tuple[Floats, int | None]:
    minutes = np.arange(days * DAY)
    hours = minutes / 60
    if random.random() < 0.5:
        daily = 1 + random.uniform(0.3, 0.8) * np.sin((hours - random.uniform(0, 24)) / 24 * 2 * np.pi)
    else:  # working hours: two to four hours from night to day
        since = (hours - random.uniform(0, 24)) % 24
        edge = random.uniform(1, 2)
        daily = random.uniform(0.1, 0.4) + 1 / (1 + np.exp(-(since - 4) / edge * 3)) / (
            1 + np.exp((since - 13) / edge * 3)
        )
    # Weekends come and go over six hours.
    week = ((hours / 24 + random.uniform(0, 7)) % 7) * 24
    weekend = 1 / (1 + np.exp(-(week - 120))) / (1 + np.exp(week - 165))
    weekly = 1 - random.uniform(0, 0.7) * weekend
    growth = (1 + random.uniform(-0.03, 0.10)) ** (hours / 24)
    wobbles = np.zeros(days * 24 + 2)
    size = random.uniform(0.02, 0.10)
    for hour in range(1, len(wobbles)):
        wobbles[hour] = 0.7 * wobbles[hour - 1] + random.normal() * size * 0.71
    level = daily * weekly * growth * np.exp(np.interp(hours, np.arange(len(wobbles)), wobbles))
    job = int(random.integers(DAY)) if random.random() < 0.3 else None
    if job is not None:  # at the same time every day, give or take some minutes
        length, size = random.integers(5, 25), random.uniform(1, 3) * level.mean()
        for day in range(days):
            begin = max(day * DAY + job + random.integers(-4, 5), 0)
            level[begin : begin + length] += size
    if random.random() < 0.1:  # a launch
        level[: random.integers(1, days - 3) * DAY] = 0
    return level / level[-7 * DAY :].mean(), job


def _spend(random: np.random.Generator, level: Floats, call_usd: float, variation: float) -> Floats:
    """Let calls come at random and cost a random amount each."""
    calls = random.poisson(level / 10 / call_usd)
    shape = 1 / variation**2
    return np.where(calls > 0, random.gamma(np.maximum(calls, 1) * shape, call_usd / shape), 0.0)


def moment(minute: int) -> datetime:
    """Give the end of a history's minute."""
    return BEGIN + timedelta(minutes=minute)


def ledger_of(client: Client, routes: dict[str, Floats]) -> None:
    """Make the two tables that the spike's question reads, one row a route and minute, and the hours added up."""
    client.command(
        "CREATE TABLE llm_attempts (started_at DateTime64(6, 'UTC'), route LowCardinality(String), "
        "list_cost Nullable(Decimal(38, 12))) ENGINE = MergeTree ORDER BY (toStartOfHour(started_at), route)"
    )
    client.command(
        "CREATE MATERIALIZED VIEW attempts_by_hour ENGINE = SummingMergeTree ORDER BY (hour, route) AS SELECT "
        "toStartOfHour(started_at) AS hour, route, sum(list_cost) AS spend FROM llm_attempts GROUP BY hour, route"
    )
    for route, usd in routes.items():
        rows = [
            [BEGIN + timedelta(minutes=n, seconds=30), route, f"{spent:.9f}"] for n, spent in enumerate(usd) if spent
        ]
        client.insert("llm_attempts", rows, column_names=["started_at", "route", "list_cost"])
