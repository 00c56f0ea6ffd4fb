"""What the journal acknowledged is on the disk, whatever happens to the process, the disk or the file afterwards."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox_collector import _segment
from farebox_collector._counts import Counts
from farebox_collector._decode import LOGS, TRACES, Body
from farebox_collector._journal import Bounds, Journal, Segment
from farebox_collector._otlp import Encoding
from farebox_collector._segment import MAGIC, Record, encode_record, encode_records, parse_segment
from farebox_collector.errors import BusyError, CollectorError, JournalFullError

DONE_S = 20
ROOMY = Bounds(2**30, 3600.0)
ROW = pa.table({"id": [1]})


def record(content: bytes, table: str = TRACES, encoding: Encoding = Encoding.PROTOBUF, by: str = "") -> Record:
    return Record(Body(table, encoding, by, content), 1_800_000_000_000_000_000)


@contextmanager
def opened(folder: Path, bounds: Bounds = ROOMY, segment_s_max: float = 60.0) -> Iterator[Journal]:
    """Open a journal that seals its segment only when asked, unless told otherwise."""
    journal = Journal(folder, bounds, Counts(), segment_s_max)
    try:
        yield journal
    finally:
        journal.close(DONE_S)
        journal.unlock()


def on_disk(folder: Path) -> list[bytes]:
    """Contents of all bodies in a journal's files, in order."""
    return [
        each.body.content
        for path in sorted(folder.glob("*.journal"))
        for each in parse_segment(path.read_bytes()).records
    ]


@pytest.fixture
def stuck_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The disk confirms nothing until the event is set; `syncs` of it counts how often it was asked."""
    free, real = threading.Event(), os.fdatasync

    def wait(descriptor: int) -> None:
        free.wait(DONE_S)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", wait)
    yield free
    free.set()


def test_acknowledged_once_on_the_disk(tmp_path: Path, stuck_disk: threading.Event) -> None:
    """No body is acknowledged before the disk has confirmed it."""
    with opened(tmp_path) as journal:
        written = journal.append(record(b"body"), ROW)
        time.sleep(0.05)
        early = written.done()
        stuck_disk.set()
        written.result(DONE_S)

        assert not early
        assert on_disk(tmp_path) == [b"body"]


def test_bodies_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stuck_disk: threading.Event) -> None:
    """What arrives while the disk works goes to it together."""
    syncs, waiting = [], os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: (syncs.append(1), waiting(descriptor)))
    with opened(tmp_path) as journal:
        written = [journal.append(record(b"%d" % number), ROW) for number in range(100)]
        stuck_disk.set()
        for each in written:
            each.result(DONE_S)

    assert len(syncs) <= 3
    assert on_disk(tmp_path) == [b"%d" % number for number in range(100)]


def test_the_next_process_finds_all(tmp_path: Path) -> None:
    """What a process leaves behind is queued by the next, in the order of its acknowledgement."""
    for number in range(3):
        with opened(tmp_path) as journal:
            journal.append(record(b"%d" % number), ROW).result(DONE_S)
    with opened(tmp_path) as journal:
        taken = [journal.take(DONE_S) for _ in range(3)]

        assert [parse_segment(each.path.read_bytes()).records[0].body.content for each in taken if each] == [
            b"0",
            b"1",
            b"2",
        ]
        assert journal.take(0.01) is None


def test_files_are_private(tmp_path: Path) -> None:
    """Nobody else on the machine can read what is in the journal."""
    folder = tmp_path / "journal"
    folder.mkdir(mode=0o755)
    with opened(folder) as journal:
        journal.append(record(b"body"), ROW).result(DONE_S)

        assert folder.stat().st_mode & 0o077 == 0
        assert [path.stat().st_mode & 0o077 for path in folder.iterdir()] == [0, 0]


def test_one_process_has_a_journal(tmp_path: Path) -> None:
    """A second journal on the folder is refused with a sentence."""
    with opened(tmp_path), pytest.raises(CollectorError, match="held by another"):
        Journal(tmp_path, ROOMY, Counts())


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """A folder that cannot be made is refused with its name and the remedy."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(CollectorError, match=r"file/journal cannot be written: .*FAREBOX_JOURNAL"):
        Journal(tmp_path / "file" / "journal", ROOMY, Counts())


def test_full(tmp_path: Path) -> None:
    """A journal that holds all it may takes no more, until what is in it is stored and forgotten."""
    with opened(tmp_path, Bounds(3000, 3600.0), segment_s_max=0.01) as journal:
        journal.append(record(b"x" * 2000), ROW).result(DONE_S)
        with pytest.raises(JournalFullError, match="of 3000 bytes"):
            journal.append(record(b"x" * 2000), ROW)
        segment = journal.take(DONE_S)
        assert segment is not None
        journal.stored(segment)
        journal.forget(journal.stored_segments())

        journal.append(record(b"y" * 2000), ROW).result(DONE_S)
        assert on_disk(tmp_path) == [b"y" * 2000]


def test_too_old(tmp_path: Path) -> None:
    """A journal whose oldest body waits for too long takes no more."""
    with opened(tmp_path, Bounds(2**30, 0.02)) as journal:
        journal.append(record(b"old"), ROW).result(DONE_S)
        time.sleep(0.05)

        with pytest.raises(JournalFullError, match="waits for"):
            journal.append(record(b"new"), ROW)


def test_age_of_what_is_found(tmp_path: Path) -> None:
    """What an earlier process left is as old as its file; a clock that was set back makes it no younger than new."""
    with opened(tmp_path) as journal:
        journal.append(record(b"old"), ROW).result(DONE_S)
    (path,) = tmp_path.glob("*.journal")
    ages = []
    for seconds in (-100.0, 1e6):
        os.utime(path, (time.time() + seconds,) * 2)
        with opened(tmp_path) as journal:
            ages.append(journal.gauges()["journal_age_s"])

    assert 100 <= ages[0] < 160
    assert 0 <= ages[1] < 60


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """When the disk is full nothing is acknowledged, what was stays readable, and later bodies are taken again."""
    real_write = os.write

    def fill(descriptor: int, data: bytes = b"") -> int:
        if call == "write" and len(data) > 10:
            real_write(descriptor, data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(tmp_path) as journal:
        journal.append(record(b"before"), ROW).result(DONE_S)
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fill)
            with pytest.raises(BusyError, match="No space left"):
                journal.append(record(b"lost"), ROW).result(DONE_S)
            assert "No space left" in (journal.failure or "")
        journal.append(record(b"after"), ROW).result(DONE_S)

        assert journal.failure is None
    assert on_disk(tmp_path) == [b"before", b"after"]


def test_folder_gone(tmp_path: Path) -> None:
    """A folder that is taken away under it answers 503 and does not end the journal."""
    folder = tmp_path / "journal"
    with opened(folder) as journal:
        folder.rename(tmp_path / "elsewhere")
        with pytest.raises(BusyError, match="cannot be written"):
            journal.append(record(b"lost"), ROW).result(DONE_S)
        (tmp_path / "elsewhere").rename(folder)

        journal.append(record(b"taken"), ROW).result(DONE_S)
    assert on_disk(folder) == [b"taken"]


def test_backlog_makes_segments_grow(tmp_path: Path) -> None:
    """While nothing is stored bodies gather in one file instead of one a second."""
    with opened(tmp_path, segment_s_max=0.0) as journal:
        for number in range(30):
            journal.append(record(b"%d" % number), ROW).result(DONE_S)

        assert journal.gauges()["journal_segments"] <= 4


def test_readers_are_told(tmp_path: Path) -> None:
    """A reader does not wait when all is stored, and else for what was acknowledged by then, no more."""
    with opened(tmp_path) as journal:
        idle = journal.settled().done()
        journal.append(record(b"first"), ROW).result(DONE_S)
        reader = journal.settled()
        segment = journal.take(DONE_S)
        journal.append(record(b"second"), ROW).result(DONE_S)
        early = reader.done()
        assert isinstance(segment, Segment)
        journal.stored(segment)

        assert idle
        assert not early
        assert reader.done()


KINDS = st.builds(
    record,
    st.binary(max_size=60),
    st.sampled_from([TRACES, LOGS]),
    st.sampled_from(list(Encoding)),
    st.sampled_from(["", "gzip", "zstd"]),
)


@given(st.lists(KINDS, max_size=8))
def test_segments_read_back(records: list[Record]) -> None:
    """What was written is read back, kind and time too."""
    contents = parse_segment(MAGIC + b"".join(map(encode_record, records)))

    assert contents.records == records
    assert contents.damages == []


@given(st.lists(KINDS, max_size=8), st.integers(0, 60))
def test_large_bodies_are_not_copied(records: list[Record], large: int) -> None:
    """Whatever counts as large, the same bytes are written; each large body as it is, all others together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_segment, "COPIED_BYTES_MAX", large)
        pieces = list(encode_records(records))

    assert b"".join(pieces) == b"".join(map(encode_record, records))
    assert sum(each.size for each in records) == sum(map(len, pieces))
    assert len(pieces) == 1 + 2 * sum(len(each.body.content) >= large for each in records)


@given(st.lists(KINDS, min_size=1, max_size=8), st.data())
def test_cut_anywhere(records: list[Record], data: st.DataObject) -> None:
    """A file that is cut off has every record before the cut, and says that its end is torn."""
    pieces = [encode_record(each) for each in records]
    whole = MAGIC + b"".join(pieces)
    cut = data.draw(st.integers(0, len(whole) - 1))
    contents = parse_segment(whole[:cut])
    ends = [len(MAGIC) + sum(map(len, pieces[: number + 1])) for number in range(len(pieces))]

    assert contents.records == records[: sum(end <= cut for end in ends)]
    assert [each.torn for each in contents.damages] == ([] if cut in (0, len(MAGIC), *ends) else [True])


@given(st.lists(KINDS, min_size=1, max_size=8), st.data())
def test_flipped_anywhere(records: list[Record], data: st.DataObject) -> None:
    """A byte that changes costs the record it stands in, no other, and is told of."""
    whole = bytearray(MAGIC + b"".join(map(encode_record, records)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    contents = parse_segment(bytes(whole))
    hit, start = None, len(MAGIC)
    for number, each in enumerate(records):
        length = len(encode_record(each))
        if start <= place < start + length:
            hit = number
        start += length

    # The byte between kinds and time is spare, yet under the checksum like all others.
    assert contents.records == [each for number, each in enumerate(records) if number != hit]
    assert len(contents.damages) == 1


def test_closed_takes_no_more(tmp_path: Path) -> None:
    """A journal that is closing turns bodies away."""
    with opened(tmp_path) as journal:
        journal.close(DONE_S)

        with pytest.raises(BusyError, match="stopping"):
            journal.append(record(b"late"), ROW)


def test_names_are_never_given_twice(tmp_path: Path) -> None:
    """Two journals that begin anew name their segments differently, since the name is the token of an insert."""

    names = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        with opened(folder) as journal:
            journal.append(record(b"body"), ROW).result(DONE_S)
        names.append(next(folder.glob("*.journal")).stem)

    assert names[0][:12] == names[1][:12]
    assert names[0] != names[1]
