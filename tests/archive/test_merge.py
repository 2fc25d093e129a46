"""Archives merged in any order and grouping give the same result, and nothing is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.check.integrity import check_archive
from migrate.archive.id_map import Side, id_map
from migrate.archive.journal import Journal
from migrate.archive.merge.files import MergeInputs, open_merge_output
from migrate.archive.merge.run import merge_archives
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots, newest_snapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.errors import ArchiveBusy, ArchiveDamaged
from migrate.model.results.archive import MergeResult
from migrate.model.shard import Shard
from migrate.stages.query.retention import RetentionPolicy, apply_policy
from tests.archive.filling import URL, Listing, facts, write
from tests.strategies import few

TIMES = [f"2026-11-{day:02}T06:00:00+00:00" for day in range(1, 29)]
SIDES = (Side("azure-openai", URL), Side("openai", "https://api.example.com"))


def merged(into: Path, inputs: Iterable[Path]) -> MergeResult:
    found = MergeInputs.check(inputs, into)
    with open_merge_output(into) as archive:
        return merge_archives(archive, found)


def at(moment: str) -> Any:
    return patch.multiple("migrate.archive.snapshots.writer", utc_now=lambda: moment)


def threads(ids: Iterable[int]) -> list[Listing]:
    """Threads with one message each, and every third one with a second message."""
    rows = [{"id": f"thread_{n}", "created_at": n // 2} for n in ids]
    listings: list[Listing] = [("thread", "", rows)]
    for n in ids:
        said = [{"id": f"msg_{n}_{m}", "role": "user"} for m in range(1 + (n % 3 == 0))]
        listings.append(("message", f"thread_{n}", said))
    return listings


def take(path: Path, day: int, listings: list[Listing], **begin: Any) -> None:
    with at(TIMES[day]), Archive.open(path, write=True, create=True) as archive:
        write(archive, listings, **begin)


def take_shard(
    path: Path, day: int, ids: Iterable[int], shard: Shard, tag: str, state: str = "complete"
) -> None:
    ours = [n for n in ids if shard.contains(f"thread_{n}")]
    first: list[Listing] = [("assistant", "", [{"id": f"asst_{day}"}])] if shard.number == 1 else []
    with at(TIMES[day]), Archive.open(path, write=True, create=True) as archive:
        writer = SnapshotWriter.begin(archive, "azure-openai", URL, {"shard": str(shard)}, tag)
        for kind, parent, bodies in [*first, *threads(ours)]:
            writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")
            writer.end_listing(kind, parent, reason=shard.remark if kind == "thread" else "")
        if state == "partial":
            writer.add_missing("thread", f"thread_x{shard.number}", "no answer")
        writer.finish(state, "v1")  # type: ignore[arg-type]


def without_numbers(found: dict[str, Any]) -> dict[str, Any]:
    """For archives that were merged in steps: their numbers depend on the order."""
    names = {row[0]: row[1:] for row in found["snapshots"]}
    moved = {name: sorted((names[row[0]], row[1:]) for row in found[name]) for name in ("scopes", "missing")}
    return {**found, **moved, "snapshots": sorted(names.values(), key=repr)}


def test_one_snapshot_in_two_archives_is_one_with_the_larger_count(tmp_path: Path) -> None:
    paths = [tmp_path / "a.db", tmp_path / "b.db"]
    take(paths[1], 0, threads(range(3)))
    for path in paths:
        take(path, 1, threads(range(3)))
    for number, order in enumerate((paths, paths[::-1])):
        merged(tmp_path / f"all{number}.db", order)
    merged(tmp_path / "step.db", paths[1:])
    merged(tmp_path / "step.db", paths)
    found = [facts(tmp_path / name) for name in ("all0.db", "all1.db", "step.db")]
    assert found[0] == found[1] == found[2]
    assert [row[-1] for row in found[0]["snapshots"]] == [7, 7]


OneArchive = tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]
plain = st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(0, 1))
shares = st.tuples(st.integers(10, 27), st.integers(1, 3), st.integers(0, 2))
archives = st.lists(
    st.tuples(st.lists(plain, max_size=3), st.lists(shares, max_size=4)), min_size=1, max_size=4
)


def made(folder: Path, drawn: Sequence[OneArchive]) -> list[Path]:
    paths = []
    for number, (whole, parts) in enumerate(drawn):
        path = folder / f"in{number}.db"
        Archive.open(path, write=True, create=True).close()
        for day, size, place in whole:
            take(path, day, threads(range(size)), url=f"{URL}{place}", tag=f"t{day}")
        for day, k, kind in parts:
            take_shard(
                path, day, range(12), Shard(k, 3), f"r{kind % 2}", "partial" if kind == 2 else "complete"
            )
        paths.append(path)
    return paths


@few(4)
@given(archives, st.randoms(use_true_random=False))
def test_order_and_grouping_do_not_matter(drawn: list[OneArchive], chance: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = made(folder, drawn)
        merged(folder / "all.db", paths)
        whole = facts(folder / "all.db")
        chance.shuffle(paths)
        merged(folder / "other.db", paths)
        assert facts(folder / "other.db") == whole
        cut = chance.randrange(len(paths) + 1)
        for part, some in (("left.db", paths[:cut]), ("right.db", paths[cut:])):
            merged(folder / part, some) if some else Archive.open(
                folder / part, write=True, create=True
            ).close()
        merged(folder / "grouped.db", [folder / "right.db", folder / "left.db"])
        assert facts(folder / "grouped.db") == whole
        for path in paths:
            merged(folder / "step.db", [path])
        assert without_numbers(facts(folder / "step.db")) == without_numbers(whole)
        assert merged(folder / "all.db", paths).bodies == 0
        assert facts(folder / "all.db") == whole
        for result in ("all.db", "step.db"):
            with Archive.open(folder / result) as archive:
                assert check_archive(archive.conn).damage == ()
                by_place: dict[str, list[str]] = {}
                for info in list_snapshots(archive.conn):
                    by_place.setdefault(info.url, []).append(info.started_at)
                assert all(times == sorted(times) for times in by_place.values())


def test_an_older_snapshot_comes_before_and_no_number_means_another(tmp_path: Path) -> None:
    new, old, all_ = tmp_path / "new.db", tmp_path / "old.db", tmp_path / "all.db"
    take(new, 5, threads(range(3)))
    take(new, 7, threads(range(4)))
    take(old, 6, threads(range(2)))
    merged(all_, [new])
    answer = merged(all_, [old])
    with Archive.open(all_) as archive:
        rows = [(info.id, info.started_at) for info in list_snapshots(archive.conn)]
        assert [SnapshotReader(archive.conn, i).counts()["thread"] for i in list_snapshots(archive.conn)] == [
            3,
            2,
            4,
        ]
    assert rows == [(1, TIMES[5]), (3, TIMES[6]), (4, TIMES[7])]
    assert (answer.added, answer.renumbered) == ((3,), 1)


def test_the_better_reading_of_a_shard_takes_the_place_of_the_other(tmp_path: Path) -> None:
    one, two, again, all_ = (tmp_path / f"{name}.db" for name in ("one", "two", "again", "all"))
    take_shard(one, 1, range(9), Shard(1, 2), "r", "partial")
    take_shard(two, 2, range(9), Shard(2, 2), "r")
    answer = merged(all_, [one, two])
    assert (answer.joined[0].state, answer.joined[0].partial, answer.whole) == ("partial", (1,), False)
    take_shard(again, 3, range(9), Shard(1, 2), "r")
    assert merged(all_, [again]).whole
    with Archive.open(all_) as archive:
        (info,) = list_snapshots(archive.conn)
        assert info.state == "complete"
        assert SnapshotReader(archive.conn, info).missing() == []
        assert [body["id"] for _, body in SnapshotReader(archive.conn, info).bodies("assistant")] == [
            "asst_3"
        ]
        assert check_archive(archive.conn).damage == ()
    assert merged(all_, [one, two]).added == ()


def test_shards_of_another_reading_or_asked_otherwise_are_not_joined(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.db" for name in "abc"]
    take_shard(paths[0], 1, range(9), Shard(1, 2), "r")
    take_shard(paths[1], 1, range(9), Shard(2, 2), "s")
    take_shard(paths[2], 1, range(9), Shard(2, 3), "r")
    answer = merged(tmp_path / "all.db", paths)
    assert sorted((j.tag, j.of, j.missing) for j in answer.joined) == [
        ("r", 2, (2,)),
        ("r", 3, (1, 3)),
        ("s", 2, (1,)),
    ]


def test_what_is_copied_does_not_look_through_what_is_there(tmp_path: Path) -> None:
    """While foreign keys are deferred, SQLite searches for each new row all rows that may refer to it."""
    take(tmp_path / "a.db", 1, threads(range(30)))
    with open_merge_output(tmp_path / "all.db") as target:
        deferred: list[int] = []
        merge_archives(
            target,
            MergeInputs.check([tmp_path / "a.db"], tmp_path / "all.db"),
            lambda *_: deferred.append(target.conn.execute("PRAGMA defer_foreign_keys").fetchone()[0]),
        )
    assert deferred
    assert not any(deferred)


@pytest.mark.parametrize("turned", [False, True])
def test_the_best_bytes_of_a_file_are_kept_and_no_others(tmp_path: Path, turned: bool) -> None:
    paths = [tmp_path / "a.db", tmp_path / "b.db"]
    for path, origin, data in zip(paths, ("parsed", "download"), (b"text", b"bytes"), strict=True):
        with Archive.open(path, write=True, create=True) as archive:
            writer = write(archive)
            link_file_to_blob(
                archive, writer.endpoint, "file-a", store_blob(archive, [data[:2], data[2:]]), origin
            )
    for path in reversed(paths) if turned else paths:
        merged(tmp_path / "all.db", [path])
    found = facts(tmp_path / "all.db")
    assert [row[5] for row in found["contents"]] == ["download"]
    assert [row[1:] for row in found["blobs"]] == [(2, 5)]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_copies_of_a_journal_what_is_done_counts(tmp_path: Path, turned: bool) -> None:
    paths = [tmp_path / "a.db", tmp_path / "b.db"]
    for number, path in enumerate(paths):
        with (
            patch("migrate.archive.journal.utc_now", lambda: TIMES[0]),
            Archive.open(path, write=True, create=True) as archive,
        ):
            journal = Journal(archive, "plan", *SIDES)
            first, second = journal.record_intent(("create", "thread", "", f"thread_{n}", "") for n in (2, 1))
            if number:
                journal.record_done(first, "new_2")
            else:
                journal.record_failed([first], "no")
                journal.record_done(second, "new_1")
            Journal(archive, f"other{number}", *SIDES).record_intent([("create", "file", "", "f", "")])
    merged(tmp_path / "all.db", reversed(paths) if turned else paths)
    with Archive.open(tmp_path / "all.db") as archive:
        assert [(m.source_id, m.target_id) for m in id_map(archive.conn)] == [
            ("thread_2", "new_2"),
            ("thread_1", "new_1"),
        ]
        assert archive.conn.execute("SELECT count(*) FROM journal").fetchone()[0] == 4
        assert check_archive(archive.conn).damage == ()


def test_only_the_output_is_locked(tmp_path: Path) -> None:
    one, all_ = tmp_path / "one.db", tmp_path / "all.db"
    take(one, 1, threads(range(3)))
    merged(all_, [one])
    with Archive.open(one, write=True):
        assert merged(all_, [one]).added == ()
    with Archive.open(all_, write=True), pytest.raises(ArchiveBusy):
        merged(all_, [one])


def test_damage_is_not_carried_over(tmp_path: Path) -> None:
    one, all_ = tmp_path / "one.db", tmp_path / "all.db"
    for sql in (
        "UPDATE packs SET data = zeroblob(size) WHERE kind = 'message'",
        "UPDATE packs SET data = substr(data, 1, 40) WHERE kind = 'message'",
        "UPDATE packs SET kind = 'run' WHERE kind = 'message'",
        "UPDATE spans SET place = place + 1, count = count - 1 WHERE count > 1",
        "DELETE FROM spans",
        "DELETE FROM listed",
    ):
        one.unlink(missing_ok=True)
        take(one, 1, threads(range(3)))
        with Archive.open(one, write=True) as archive:
            archive.conn.execute(sql)
        with pytest.raises(ArchiveDamaged):
            merged(all_, [one])
        assert not list(tmp_path.glob("all.db*"))


def test_an_interrupted_shard_is_continued_for_its_own_reading_only(tmp_path: Path) -> None:
    asked = {"shard": "1/2"}
    with Archive.open(tmp_path / "one.db", write=True, create=True) as archive:
        first = SnapshotWriter.begin(archive, "azure-openai", URL, asked, "r")
        again = SnapshotWriter.begin(archive, "azure-openai", URL, asked, "r")
        other = SnapshotWriter.begin(archive, "azure-openai", URL, asked, "s")
    assert (again.resumed, again.id) == (True, first.id)
    assert (other.resumed, other.id) == (False, first.id + 1)


def test_a_shard_does_not_represent_its_estate(tmp_path: Path) -> None:
    take(tmp_path / "one.db", 1, threads(range(3)))
    take_shard(tmp_path / "one.db", 2, range(3), Shard(1, 2), "r")
    with Archive.open(tmp_path / "one.db") as archive:
        found = newest_snapshot(archive.conn, "azure-openai", URL)
        assert found
        assert found.id == 1
        kept = {
            verdict.snapshot.id: verdict.why
            for verdict in apply_policy(list_snapshots(archive.conn), RetentionPolicy(last=1))
        }
    assert "last complete" in kept[1]
