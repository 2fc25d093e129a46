"""`restore --originals DIR`: files whose uploads no service returns come back with bytes from a folder, and
nothing is stored before it is needed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.emulator.uploads import Upload
from tests.e2e.restore_judge import assert_restored, lose
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.test_restore import held
from tests.e2e.test_restore_command import restored


@contextmanager
def without_downloads(folder: Path, type_: str) -> Iterator[tuple[World, Path]]:
    """An estate of a service that returns no upload, a snapshot of it, and a folder with the uploads."""
    one = replace(service("SOURCE_KEY", type_), downloads=False)
    with world(folder, one, one, types=(type_, type_)) as made:
        furnish(made.source, type_)
        # A store reads the text out of it, which has another size than the upload.
        estate, upload = made.source.estate, Upload()
        (notes,) = (id_ for id_, row in estate.files.items() if row["filename"] == "notes.md")
        estate.content[notes].close()
        upload.write(b"caf\xe9 au lait")
        estate.content[notes] = upload
        estate.files[notes]["bytes"] = 12
        made("snapshot", "source", "-o", made.db)
        originals = folder / "originals"
        (originals / "older").mkdir(parents=True)
        for name in ("notes.md", "guide.md", "sales.csv"):
            (id_,) = (id_ for id_, row in made.source.estate.files.items() if row["filename"] == name)
            data = made.source.estate.content[id_].read()
            (originals / name).write_bytes(data)
            (originals / "older" / name).write_bytes(data + b" and more")
        yield made, originals


def state(folder: Path) -> dict[str, str]:
    """Each file with the hash of its bytes."""
    files = [path for path in folder.iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def stored_originals(made: World) -> list[str]:
    """Id of each file of which the archive has bytes from a folder."""
    with closing(sqlite3.connect(made.db)) as conn:
        return sorted(
            id_ for (id_,) in conn.execute("SELECT file_id FROM contents WHERE origin = 'original'")
        )


@pytest.mark.parametrize("type_", TYPES)
def test_one_of_each_kind_comes_back_with_the_original(type_: str, tmp_path: Path) -> None:
    with without_downloads(tmp_path, type_) as (made, originals):
        was = held(made)
        lost = lose(made, type_)
        before, asked = held(made), len(made.target.requests)
        without = made("restore", made.db, "--dry-run", "--accept-loss", "all").json
        said = [row for row in without["losses"] if (row["id"], row["field"]) == (lost["files"], "bytes")]
        assert [(row["way_out"], row["grade"] in ("blocked", "lost")) for row in said] == [
            ("take the bytes from a folder: add --originals DIR", True)
        ]
        result = restored(made, "--originals", str(originals))
        assert_restored(made, was, lost, before, asked, result)
        # Of the folder only what was needed is stored.
        assert stored_originals(made) == [lost["files"]]
        asked = len(made.target.requests)
        restored(made, "--originals", str(originals))
        restored(made)
        assert made.writes(asked) == []


@pytest.mark.parametrize("options", [(), ("--originals",)], ids=["without", "with originals"])
def test_a_dry_run_changes_nothing(options: tuple[str, ...], tmp_path: Path) -> None:
    with without_downloads(tmp_path, "openai") as (made, originals):
        lost = lose(made, "openai")
        before, asked = state(tmp_path), len(made.target.requests)
        given = (*options, str(originals)) if options else ()
        dry = made("restore", made.db, "--dry-run", "--accept-loss", "all", *given).json
        assert state(tmp_path) == before
        assert made.writes(asked) == []
        bytes_losses = [row for row in dry["losses"] if (row["id"], row["field"]) == (lost["files"], "bytes")]
        assert [row["grade"] for row in bytes_losses] == ["adapted" if options else "lost"]
        assert ("folder of originals" in bytes_losses[0]["reason"]) == bool(options)


def test_nothing_is_stored_where_the_question_is_answered_with_no(tmp_path: Path) -> None:
    with without_downloads(tmp_path, "openai") as (made, originals):
        lose(made, "openai")
        asked = len(made.target.requests)
        said = made.plain(
            "restore", made.db, "--accept-loss", "all", "--originals", str(originals), stdin="n\n"
        )
        assert said.code == 3
        assert "file(s) get their bytes" in said.err
        assert stored_originals(made) == []
        assert made.writes(asked) == []


def test_an_original_that_changed_after_the_question_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with without_downloads(tmp_path, "openai") as (made, originals):
        lose(made, "openai")
        original = originals / "notes.md"

        def change(question: str) -> None:
            original.write_bytes(original.read_bytes()[::-1])

        monkeypatch.setattr("migrate.cli.commands.restore.confirm", change)
        asked = len(made.target.requests)
        made("restore", made.db, "--accept-loss", "all", "--originals", str(originals)).error(4, "notes.md")
        assert made.writes(asked) == []
        assert stored_originals(made) == []
