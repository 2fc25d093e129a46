"""Parts of a drill: the objects in a sample, and the age of each kind in an archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.id_map import Side
from migrate.archive.snapshots.reader import open_snapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model.results.drill import KindReading
from migrate.model.sample import Sample
from migrate.stages.drill.readings import newest_readings
from migrate.stages.drill.sample import sample_selection
from migrate.stages.estate import Estate

SIDE = Side("openai", "https://api.openai.com/v1")
KINDS = ("file", "vector_store", "assistant", "thread")


def begin(archive: Archive, **options: Any) -> SnapshotWriter:
    return SnapshotWriter.begin(
        archive, SIDE.type, SIDE.url, {"threads": True, "runs": True, **options}, None
    )


@contextmanager
def estate(threads: list[str], **others: list[str]) -> Iterator[Estate]:
    """An estate with objects of these ids."""
    with Archive.temporary() as archive:
        writer = begin(archive)
        for kind in KINDS:
            ids = threads if kind == "thread" else others.get(kind, [])
            rows = [BodyRow.from_json(kind, {"id": id_, "object": kind, "created_at": 1}) for id_ in ids]
            writer.add_page(kind, "", rows, "")
            writer.end_listing(kind)
        writer.finish("complete", "")
        yield Estate(open_snapshot(archive.conn, writer.id))


def chosen(percent: float, seed: int, threads: list[str], **others: list[str]) -> list[str]:
    with estate(threads, **others) as source:
        return list(sample_selection(source, Sample(percent, seed)).ids)


THREADS = [f"thread_{number:03}" for number in range(100)]
ASSISTANTS = [f"asst_{number:03}" for number in range(30)]


def test_a_sample_is_a_share_of_threads_and_assistants() -> None:
    ids = chosen(10, 1, THREADS, assistant=ASSISTANTS, file=["file_1"])
    assert [id_.partition("_")[0] for id_ in ids] == ["thread"] * 10 + ["asst"] * 3
    assert set(ids) <= {*THREADS, *ASSISTANTS}


def test_the_seed_decides_and_the_order_does_not() -> None:
    first = chosen(10, 1, THREADS)
    assert sorted(chosen(10, 1, THREADS[::-1])) == sorted(first)
    assert set(chosen(10, 2, THREADS)) != set(first)
    assert set(first) <= set(chosen(20, 1, THREADS)), "a larger sample has the smaller one"


@pytest.mark.parametrize(("percent", "number"), [(0.1, 1), (1, 1), (1.5, 2), (99.5, 100), (100, 100)])
def test_a_share_is_rounded_up(percent: float, number: int) -> None:
    assert len(set(chosen(percent, 5, THREADS))) == number


def test_without_threads_and_assistants_stores_are_chosen_and_then_files() -> None:
    stores, files = ["vs_1", "vs_2"], ["file_1", "file_2"]
    assert [id_[:3] for id_ in chosen(50, 1, [], vector_store=stores, file=files)] == ["vs_"]
    assert [id_[:3] for id_ in chosen(50, 1, [], file=files)] == ["fil"]
    assert chosen(50, 1, []) == []


def complete(archive: Archive, at: str, state: str = "complete", **options: Any) -> SnapshotWriter:
    """A snapshot that began at a time, with every kind read."""
    writer = begin(archive, **options)
    for kind in KINDS:
        writer.end_listing(kind)
    writer.finish(state, "")
    archive.conn.execute("UPDATE snapshots SET started_at = ? WHERE id = ?", (at, writer.id))
    return writer


NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
DAYS = [(NOW - timedelta(days=days)).isoformat(timespec="seconds") for days in range(5)]


def readings(archive: Archive) -> dict[str, KindReading]:
    return {row.kind: row for row in newest_readings(archive.conn, SIDE, NOW)}


def test_each_kind_has_the_age_of_its_newest_complete_reading() -> None:
    with Archive.temporary() as archive:
        complete(archive, DAYS[4])
        complete(archive, DAYS[3], runs=False)
        partial = complete(archive, DAYS[2], "partial")
        partial.add_missing("file", "file_1", "its bytes: 500")
        found = readings(archive)
        assert (found["assistant"].snapshot, found["assistant"].age_s) == (3, 2 * 86_400)
        assert (found["thread"].snapshot, found["message"].snapshot) == (3, 3)
        assert (found["file"].snapshot, found["file"].age_s) == (2, 3 * 86_400)
        assert found["vector_store_file"].snapshot == 3
        assert (found["run"].snapshot, found["run"].age_s) == (3, 2 * 86_400)


def test_runs_that_were_not_read_are_as_old_as_their_last_reading() -> None:
    with Archive.temporary() as archive:
        complete(archive, DAYS[4])
        complete(archive, DAYS[3], runs=False)
        found = readings(archive)
        assert (found["run"].snapshot, found["run_step"].snapshot, found["message"].snapshot) == (1, 1, 2)


@pytest.mark.parametrize("options", [{"include": [["assistant", "a*"]]}, {"shard": "1/4"}])
def test_a_filtered_snapshot_and_a_shard_are_no_complete_reading(options: dict[str, Any]) -> None:
    with Archive.temporary() as archive:
        complete(archive, DAYS[4])
        complete(archive, DAYS[1], **options)
        assert {row.snapshot for row in readings(archive).values()} == {1}


def test_an_expected_gap_counts_as_complete_and_one_of_messages_only_for_messages() -> None:
    with Archive.temporary() as archive:
        complete(archive, DAYS[4])
        newest = complete(archive, DAYS[1])
        newest.add_missing("file", "file_1", "never returned", expected=True)
        newest.add_missing("message", "*", "500", "thread_1")
        found = readings(archive)
        assert (found["file"].snapshot, found["thread"].snapshot, found["message"].snapshot) == (2, 2, 1)


def test_a_reading_of_another_place_and_an_empty_archive_have_no_age() -> None:
    with Archive.temporary() as archive:
        other = SnapshotWriter.begin(archive, "openai", "https://elsewhere.example/v1", {}, None)
        for kind in KINDS:
            other.end_listing(kind)
        other.finish("complete", "")
        assert set(readings(archive).values()) == {KindReading(kind) for kind in readings(archive)}
        assert len(readings(archive)) == 8


def test_a_reading_from_the_future_has_age_zero() -> None:
    with Archive.temporary() as archive:
        complete(archive, (NOW + timedelta(hours=1)).isoformat(timespec="seconds"))
        assert readings(archive)["file"].age_s == 0
