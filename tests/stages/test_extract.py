"""File bytes written to a folder: checked, complete or absent, and never over other files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.cli import program
from migrate.errors import BadUsage, OperationRefused
from migrate.model.results.query import ExtractResult
from migrate.stages.query.extract import extract
from tests.archive.filling import reader, write

FILES = {
    "file-a": ("notes.txt", [b"one ", b"two"], "download"),
    "file-b": ("../notes.txt", [b"three"], "original"),
    "file-c": ("terms.pdf", [b"only the text"], "parsed"),
    "file-d": ("empty.bin", [], "download"),
    "file-e": ("nobody.has", None, ""),
}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as opened:
        bodies = [{"id": id_, "filename": row[0]} for id_, row in FILES.items()]
        writer = write(opened, [("file", "", bodies)])
        for id_, (_, pieces, origin) in FILES.items():
            if pieces is not None:
                link_file_to_blob(opened, writer.endpoint, id_, store_blob(opened, pieces), origin)
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out" / "deep"


def run(archive: Archive, folder: Path, *ids: str, force: bool = False) -> ExtractResult:
    return extract(reader(archive), ids, folder, force)


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_everything_that_has_bytes_is_written(archive: Archive, folder: Path) -> None:
    done = run(archive, folder)
    assert held(folder) == {
        "empty.bin": b"",
        "notes-file-a.txt": b"one two",
        "notes-file-b.txt": b"three",
        "terms.pdf.parsed.txt": b"only the text",
    }
    assert done.failed == []
    first = done.written[0]
    assert (first.id, first.name, first.bytes, first.bytes_from) == ("file-a", "notes.txt", 7, "download")
    assert first.sha256 == hashlib.sha256(b"one two").hexdigest()
    assert first.path == folder / "notes-file-a.txt"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_unknown_ids_and_files_without_bytes_are_reported(archive: Archive, folder: Path) -> None:
    done = run(archive, folder, "file-a", "file-e", "file-x", "file-a")
    assert [row.id for row in done.written] == ["file-a"]
    assert [(row.id, row.reason) for row in done.failed] == [
        ("file-e", "the archive does not have its bytes"),
        ("file-x", "snapshot 1 has no such file"),
    ]
    assert list(held(folder)) == ["notes.txt"], "alone, it needs no suffix"


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["file-x"], 1),
        (["file-x", "file-y"], 1),
        (["file-x", "file-e"], 3),
        (["file-e"], 3),
        (["file-x", "file-a"], 3),
        (["file-a"], 0),
    ],
)
def test_the_exit_code_says_whether_all_some_or_none_were_found(
    archive: Archive, folder: Path, ids: list[str], code: int
) -> None:
    arguments = ["extract", str(archive.path), *ids, "--dir", str(folder)]
    assert CliRunner().invoke(program, arguments).exit_code == code


def test_nothing_is_overwritten(archive: Archive, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "empty.bin").write_bytes(b"mine")
    with pytest.raises(OperationRefused, match=r"empty\.bin"):
        run(archive, folder)
    assert held(folder) == {"empty.bin": b"mine"}
    run(archive, folder, force=True)
    assert held(folder)["empty.bin"] == b""
    assert len(held(folder)) == 4


@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_is_never_followed(archive: Archive, folder: Path, tmp_path: Path, dangling: bool) -> None:
    folder.mkdir(parents=True)
    outside = tmp_path / "outside.txt"
    if not dangling:
        outside.write_bytes(b"mine")
    (folder / "notes.txt").symlink_to(outside)
    with pytest.raises(OperationRefused):
        run(archive, folder, "file-a")
    run(archive, folder, "file-a", force=True)
    assert not (folder / "notes.txt").is_symlink()
    assert (folder / "notes.txt").read_bytes() == b"one two"
    assert outside.exists() is not dangling
    assert dangling or outside.read_bytes() == b"mine"


def test_a_folder_in_the_way_is_reported(archive: Archive, folder: Path) -> None:
    (folder / "notes.txt").mkdir(parents=True)
    done = run(archive, folder, "file-a", "file-d", force=True)
    assert [row.id for row in done.failed] == ["file-a"]
    assert sorted(path.name for path in folder.iterdir()) == ["empty.bin", "notes.txt"]


def test_a_folder_that_cannot_be_created_is_reported(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BadUsage, match="cannot create"):
        run(archive, tmp_path / "file" / "below")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE chunks SET data = x'00' WHERE ordinal = 1",
        "DELETE FROM chunks WHERE ordinal = 1",
        "UPDATE blobs SET size = size + 1",
    ],
)
@pytest.mark.parametrize("force", [True, False])
def test_damaged_bytes_leave_nothing_behind(archive: Archive, folder: Path, change: str, force: bool) -> None:
    archive.conn.execute(change)
    folder.mkdir(parents=True)
    if force:
        (folder / "notes.txt").write_bytes(b"mine")
    done = run(archive, folder, "file-a", force=force)
    assert [(row.id, "damaged" in row.reason) for row in done.failed] == [("file-a", True)]
    assert done.written == []
    assert held(folder) == ({"notes.txt": b"mine"} if force else {})


def test_a_file_that_appears_meanwhile_stays(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    monkeypatch.setattr("migrate.stages.query.extract.os.path.lexists", lambda path: False)
    (folder / "notes.txt").write_bytes(b"mine")
    with pytest.raises(OperationRefused, match="already there"):
        run(archive, folder, "file-a")
    assert held(folder) == {"notes.txt": b"mine"}
