"""What several questions are about is counted once, and what they answer is what they would answer by themselves."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dashboards.traffic import HOUR, TENANT, Made
from farebox_up import wait_until
from ledger.spans import NOW, attempt, outcome, store
from viewer.conftest import SINCE, UNTIL, Viewer, chosen, milliseconds, serving_app

from farebox_collector import _tables
from farebox_collector._reader import Reader
from farebox_collector._tables import TableMade, Tables
from farebox_collector._viewer import ask_embedded
from farebox_dashboards import DASHBOARDS
from farebox_dashboards.viewer import _answers, _counts, serve
from farebox_ledger import Dsn, LedgerError, Store, open_store, refresh_all

MINUTE = timedelta(minutes=1)
WHOLE = {"by_tenant": "0", "since": f"{NOW - HOUR:%F %T}", "until": f"{NOW + HOUR:%F %T}", "step_s": "3600"}


class Watched(Tables):
    """Tables that note what was asked of them."""

    def __init__(self, dsn: Dsn) -> None:
        super().__init__(dsn.folder, dsn.database)
        self.made: list[tuple[str, ...]] = []
        self.tables: list[str] = []

    async def make(self, view: str, arguments: Mapping[str, str], rows_max: int) -> TableMade:
        self.made.append((view, *arguments.values()))
        made = await super().make(view, arguments, rows_max)
        self.tables.append(made.name)
        return made

    async def drop(self, name: str) -> None:
        await super().drop(name)
        self.tables.remove(name)


@contextmanager
def counting(dsn: Dsn, tables: Tables | None) -> Iterator[Viewer]:
    """Serve the viewer with these tables."""
    reader = Reader(dsn.folder)
    try:
        with serving_app(serve(ask_embedded(reader, dsn.database), "", tables)) as running:
            yield running
    finally:
        reader.close(5)


def panels(uid: str) -> list[int]:
    """Number the panels of a dashboard that ask something."""
    (board,) = [each for each in DASHBOARDS if each.uid == uid]
    return [each["id"] for each in board.as_data()["panels"] if each.get("targets")]


@pytest.fixture(scope="module")
def alone(seeded: Store) -> Iterator[Viewer]:
    """A viewer in which each question counts for itself."""
    with counting(seeded.dsn, None) as running:
        yield running


@pytest.fixture(scope="module")
def together(seeded: Store) -> Iterator[tuple[Viewer, Watched]]:
    """A viewer in which they share, for as long as the tests take."""
    tables = Watched(seeded.dsn)
    with pytest.MonkeyPatch.context() as patch, counting(seeded.dsn, tables) as running:
        patch.setattr(_answers, "KEPT_LONG_S", {0: 3600})
        yield running, tables


@pytest.mark.parametrize("uid", [each.uid for each in DASHBOARDS])
def test_panels_answer_what_they_would_by_themselves(uid: str, alone: Viewer, together: tuple[Viewer, Watched]) -> None:
    """Every panel of every dashboard has the same frames, whether its views are tables or not."""
    viewer, tables = together
    for panel in panels(uid):
        asked = viewer.question(uid, panel=panel, to=milliseconds(UNTIL - 7 * MINUTE))
        asked["from"] = milliseconds(SINCE + 13 * MINUTE)
        shared, own = viewer.post("/api/panel", asked), alone.post("/api/panel", asked)

        assert shared.status_code == own.status_code == 200, shared.text
        if not is_of_this_moment(uid, panel):
            assert shared.json()["frames"] == own.json()["frames"], panel
    assert max(Counter(tables.made).values()) == 1


def is_of_this_moment(uid: str, panel: int) -> bool:
    """Say whether a panel shows how long ago something was."""
    (board,) = [each for each in DASHBOARDS if each.uid == uid]
    (title,) = [each["title"] for each in board.as_data()["panels"] if each["id"] == panel]
    return title == "Age of data"


def test_of_each_tenant_nothing_is_kept(together: tuple[Viewer, Watched], viewed_traffic: list[Made]) -> None:
    """With a tenant chosen a panel asks for itself, since all tenants' rows are many; what it says is right."""
    viewer, tables = together
    before = len(tables.made)
    variables = {**chosen("farebox-overview"), "tenant": [TENANT]}
    (routes,) = viewer.panel("farebox-overview", "Routes", variables=variables)

    assert len(tables.made) == before
    names = [each["name"] for each in routes["schema"]["fields"]]
    told = dict(zip(*(routes["data"]["values"][names.index(name)] for name in ("route", "attempts")), strict=True))
    made = Counter(each.route for each in viewed_traffic if each.tenant == TENANT and each.started_at >= SINCE)
    assert told == made


@pytest.mark.parametrize(("name", "value"), [("ROWS_MAX", -1), ("BYTES_MAX", -1)])
def test_what_is_too_much_to_keep_is_not_kept(
    name: str, value: int, seeded: Store, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of rows or bytes the question is asked as it stands."""
    monkeypatch.setattr(_counts, name, value)
    tables = Watched(seeded.dsn)
    with counting(seeded.dsn, tables) as running:
        assert running.panel("farebox-overview", "Routes") == viewer.panel("farebox-overview", "Routes")
    assert len(tables.made) == 3
    assert tables.tables == []


def test_what_cannot_be_counted_is_told_by_the_question(seeded: Store) -> None:
    """If no table can be made, the statement is asked as it stands."""

    class Broken(Watched):
        async def make(self, view: str, arguments: Mapping[str, str], rows_max: int) -> TableMade:
            self.made.append((view,))
            raise LedgerError("no memory")

    tables = Broken(seeded.dsn)
    with counting(seeded.dsn, tables) as running:
        assert running.panel("farebox-overview", "Routes")
    assert tables.made


def test_tables_go_when_their_time_is_over(seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count serves for as long as answers are said again, and is dropped then; the next question is counted anew."""
    monkeypatch.setattr(_answers, "KEPT_LONG_S", {})
    monkeypatch.setattr(_answers, "KEPT_S", 0.3)
    tables = Watched(seeded.dsn)
    with counting(seeded.dsn, tables) as running:
        first = running.panel("farebox-overview", "Routes")
        assert len(tables.made) == 3
        wait_until(lambda: not tables.tables)
        assert running.panel("farebox-overview", "Routes") == first
        assert len(tables.made) == 6


class Busy:
    """A ledger of its own that arrivals wait in, and how it is shown."""

    def __init__(self, opened: Store) -> None:
        self.opened = opened
        self.tables = Tables(opened.dsn.folder, opened.dsn.database)

    def attempts(self, **arguments: str) -> tuple[int, TableMade]:
        """Count the attempts of a period, as questions are given them."""
        made = asyncio.run(self.tables.make("amounts_between", {**WHOLE, **arguments}, 1000))
        ((attempts,),) = self.opened.client.query(f"SELECT sum(attempts) FROM {made.name}").result_rows
        return int(attempts), made


@contextmanager
def waiting(folder: Path, name: str) -> Iterator[Busy]:
    """Make a ledger of which ten attempts are rolled up, and five came since: that is very much here."""
    with pytest.MonkeyPatch.context() as patch, open_store(Dsn("chdb", name, path=folder)) as opened:
        patch.setattr(_tables, "ARRIVALS_MAX", 5)
        store(opened.client, *(attempt(number, started_at=NOW + number * MINUTE) for number in range(10)))
        refresh_all(opened.client)
        store(opened.client, *(attempt(100 + number, started_at=NOW + number * MINUTE) for number in range(5)))
        yield Busy(opened)
        opened.client.command(f"DROP DATABASE {name} SYNC")


@pytest.fixture(scope="module")
def busy(ledger_folder: Path, ledger_client: object) -> Iterator[Busy]:
    """A ledger that very much arrives in, which tests leave as it is."""
    with waiting(ledger_folder, "busy") as found:
        yield found


@pytest.fixture
def busy_alone(ledger_folder: Path, ledger_client: object) -> Iterator[Busy]:
    """One that a test may change."""
    with waiting(ledger_folder, "busy_alone") as found:
        yield found


def test_while_much_arrives_hours_are_as_the_last_refresh_left_them(busy_alone: Busy) -> None:
    """What came since is not counted, and the answer says how old it is; once worked through it is."""
    time.sleep(1.1)
    attempts, made = busy_alone.attempts()
    assert (attempts, made.note) == (10, "")
    assert made.age_s >= 1
    store(busy_alone.opened.client, outcome("task", True))  # what is reported later waits like everything else
    assert busy_alone.attempts()[0] == 10

    refresh_all(busy_alone.opened.client)
    attempts, made = busy_alone.attempts()
    assert (attempts, made.age_s) == (15, 0)


def test_every_view_of_a_period_has_a_copy(busy: Busy) -> None:
    """No hour is dirty to the copies: each reads a note of its own, whatever view a migration brings."""
    ask = "SELECT name, as_select FROM system.tables WHERE database = '{}' AND name LIKE '%_between' ORDER BY name"
    own = busy.opened.client.query(ask.format("busy")).result_rows
    copies = busy.opened.client.query(ask.format("busy_shown")).result_rows

    assert [name for name, _ in copies] == [name for name, _ in own]
    for _, select in copies:
        assert "busy_shown.dirty_hours" in select
        assert "busy.dirty_hours" not in select


def test_a_range_that_ends_now_takes_the_hour_whole(busy: Busy) -> None:
    """Nothing has begun after its end, so its last hour need not be counted up to there."""
    attempts, made = busy.attempts(until=f"{NOW + 20 * MINUTE:%F %T}")
    assert attempts == 10
    assert made.age_s >= 0


@pytest.mark.parametrize(
    ("arguments", "attempts"),
    [
        ({"until": f"{NOW + 3 * MINUTE:%F %T}"}, 6),
        ({"since": f"{NOW + 2 * MINUTE:%F %T}", "until": f"{NOW + 20 * MINUTE:%F %T}"}, 11),
        ({"step_s": "600"}, 15),
    ],
)
def test_what_rollups_cannot_say_is_counted_now(arguments: dict[str, str], attempts: int, busy: Busy) -> None:
    """Periods that cut the hour, and short ones by less than an hour."""
    assert busy.attempts(**arguments)[0] == attempts
    assert busy.attempts(**arguments)[1].age_s == 0


def test_a_long_range_is_shown_by_the_hour_and_says_so(busy: Busy) -> None:
    """By less than an hour every attempt of it would be read."""
    attempts, made = busy.attempts(step_s="600", since=f"{NOW - 9 * HOUR:%F %T}")
    assert (attempts, made.note) == (10, _tables.BY_THE_HOUR)


def test_rollups_that_are_far_behind_are_not_shown(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no refresh comes along, everything is counted now."""
    monkeypatch.setattr(_tables, "BEHIND_S_MAX", -1)
    assert busy.attempts()[0] == 15


def test_rollups_that_are_to_be_filled_are_not_shown(busy_alone: Busy) -> None:
    """After an upgrade that brings rollups everything is counted now, until a refresh has filled them."""
    busy_alone.opened.client.command("INSERT INTO arrivals (hour, received_at) SELECT toStartOfHour(now()), now64(6)")
    assert busy_alone.attempts()[0] == 15


def test_a_panel_says_how_old_it_is(busy: Busy) -> None:
    """The page is told the age, and that it is by the hour."""
    with counting(busy.opened.dsn, busy.tables) as running:
        asked = running.question(panel=running.number("farebox-overview", "Spend by route"))
        asked |= {"from": milliseconds(NOW - 20 * HOUR), "to": milliseconds(NOW + HOUR)}
        time.sleep(1.1)
        answer = running.post("/api/panel", asked).json()

    assert answer["age_s"] >= 1
    assert answer["notices"] == [_tables.BY_THE_HOUR]


def ask_of(answers: list[bytes], going_on: asyncio.Event) -> Any:
    """Answer with one number after the other, the second only when told to."""

    async def ask(_: str, *__: object) -> bytes:
        answers.append(b"")
        if len(answers) == 2:
            await going_on.wait()
        return b'{"meta": [{"name": "n", "type": "UInt8"}], "data": [[%d]]}' % len(answers)

    return ask


def test_a_page_that_asks_by_itself_is_given_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the next is counted it gets the one before; somebody who looks anew waits, and nobody gets one too old."""

    async def act() -> None:
        going_on = asyncio.Event()
        answers = _answers.Answers(ask_of([], going_on))
        first = await answers.table("SELECT 1", like="this", waits=False)
        again = await answers.table("SELECT 2", like="this", waits=False)
        assert (first.rows, again.rows) == ([[1]], [[1]])
        waiting = asyncio.create_task(answers.table("SELECT 2", like="this"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        going_on.set()
        assert (await waiting).rows == [[2]]
        assert (await answers.table("SELECT 2", like="this", waits=False)).rows == [[2]]
        assert (await answers.table("SELECT 3", like="this", waits=False)).rows == [[2]]
        monkeypatch.setattr(_answers, "SAID_AGAIN_MAX", -1)
        assert (await answers.table("SELECT 4", like="this", waits=False)).rows == [[4]]

    asyncio.run(act())
