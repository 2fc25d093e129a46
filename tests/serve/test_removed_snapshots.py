"""Snapshots that `forget` removes while they are served, also between the choice of one and its reading."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from migrate.archive.database import Archive
from migrate.archive.forget import forget_snapshots
from migrate.archive.snapshots.reader import NoSuchSnapshot
from migrate.serve.comparisons import Comparisons
from migrate.serve.connections import ArchiveAccess, ServedEstate
from tests.serve.api.archives import Made, MadeSnapshot, make_archive, named
from tests.serve.api.serving import VERSION, serving_api
from tests.serve.client import served


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two snapshots: an assistant in both, a second one in the first snapshot only."""
    snapshots = (MadeSnapshot([Made("assistant", "", named(*ids))]) for ids in (("a1", "a2"), ("a1",)))
    return make_archive(tmp_path / "a.db", *snapshots)


def forget(path: Path, *numbers: int) -> None:
    with Archive.open(path, write=True) as archive:
        forget_snapshots(archive, list(numbers))


def with_stale_estates(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let the next question for the estates get what was there before a snapshot is removed."""
    current = ArchiveAccess.estates
    with ArchiveAccess(path, connections=1) as access:
        stale = [access.estates()]

    def estates(self: ArchiveAccess) -> tuple[ServedEstate, ...]:
        return stale.pop() if stale else current(self)

    monkeypatch.setattr(ArchiveAccess, "estates", estates)


def test_a_snapshot_that_was_removed_after_it_was_found_is_not_read(path: Path) -> None:
    with ArchiveAccess(path, connections=1) as access:
        info = access.snapshot_info(1)
        forget(path, 1)
        with pytest.raises(NoSuchSnapshot, match="no snapshot 1"), access.reader_of(info):
            pass
        assert access.estate_of(info).shown.id == 2
        forget(path, 2)
        with pytest.raises(NoSuchSnapshot):
            access.estate_of(info)


def test_a_comparison_of_one_that_was_removed_meanwhile_fails(path: Path) -> None:
    with ArchiveAccess(path) as access, closing(Comparisons(access)) as comparisons:
        infos = {number: access.snapshot_info(number) for number in (1, 2)}
        forget(path, 1)
        access.snapshot_info = infos.__getitem__  # type: ignore[method-assign]
        comparison = comparisons.ask(1, 2, 10)
        assert comparison.state == "failed"
        assert comparison.error is not None
        assert comparison.error.what == "the archive has no snapshot 1"


def test_the_api_answers_from_the_one_that_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_api(path) as api:
        with_stale_estates(monkeypatch, path)
        forget(path, 2)
        assert api.ok(f"/openai/assistants?{VERSION}").ids == ["a2", "a1"]


def test_a_page_says_that_it_is_gone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(path) as client:
        with_stale_estates(monkeypatch, path)
        forget(path, 2)
        answer = client.send("/snapshots/2/")
        assert answer.status == 404
        assert "no snapshot 2" in answer.text


def test_a_missing_object_is_looked_for_in_snapshots_that_are_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(path) as client:
        assert "snapshots/1" in client.send("/snapshots/2/assistants/a2").text
        with_stale_estates(monkeypatch, path)
        forget(path, 1)
        answer = client.send("/snapshots/2/assistants/a2")
        assert answer.status == 404
        assert "snapshots/1/" not in answer.text
