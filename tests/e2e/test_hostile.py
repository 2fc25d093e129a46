"""Malicious names: in no command do they become a path, a formula, SQL, or a terminal control sequence."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hostile import FORGED, NAMES, commands, fill
from tests.e2e.running import CommandResult, World, options, world

SERVICES = ("openai", "foundry")
Done = tuple[World, str, dict[tuple[str, ...], CommandResult]]


@pytest.fixture(scope="module", params=SERVICES)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """Every command was run once, as it is typed."""
    folder = tmp_path_factory.mktemp("hostile")
    given: dict[str, Any] = {"service": request.param, "list_threads": "works", "downloads": True}
    types = ("foundry-classic", "foundry-classic") if request.param == "foundry" else None
    with ExitStack() as stack:
        made = stack.enter_context(
            world(folder, options("SOURCE_KEY", **given), options("TARGET_KEY", **given), types=types)
        )
        thread = fill(made)
        said = {}
        for given in commands(made, thread):
            if given[0] == "rollback":
                shutil.copy(made.db, kept(made))
            said[given] = made.plain(*given)
        yield made, thread, said


def kept(made: World) -> str:
    """The archive before the rollback, with every object in the id map."""
    return str(made.folder / "kept.db")


def test_every_command_does_its_work(done: Done) -> None:
    _, _, said = done
    codes = {given: one.code for given, one in said.items()}
    by_name: dict[str, list[int]] = {}
    for given, code in codes.items():
        by_name.setdefault(given[0], []).append(code)
    assert by_name["snapshot"] == [0]
    assert by_name["search"] == [0, 0, 0, 1]
    assert by_name["transcript"] == [0] * 7 + [2]
    assert by_name["show"] == [0, 0, 0]
    assert by_name["check"] == [0]
    assert by_name["apply"][0] in (0, 3), "what the target refuses is named"
    assert by_name["rollback"] == [0]
    for given, one in said.items():
        assert "Traceback" not in one.out + one.err, given
        if one.code == 2:
            one.error(2)


def test_nothing_reaches_the_terminal_that_it_would_obey(done: Done) -> None:
    _, _, said = done
    for given, one in said.items():
        if given[0] == "ids":
            continue  # meant for another program; on a terminal it is cleaned as well
        odd = {c for c in one.out + one.err if unicodedata.category(c).startswith(("C", "Zl", "Zp"))}
        odd -= {"\n", "\t"} if given[0] in ("show", "transcript") else {"\n"}  # whole texts may have tabs
        assert not odd, given


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("format_", ["csv", "json", "sql"])
def test_the_id_map_on_a_terminal_is_cleaned(
    done: Done, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _, _ = done
    monkeypatch.setattr("tests.e2e.running.io.StringIO", Terminal)
    text = made.plain("ids", kept(made), "--format", format_, "--quiet").out
    assert NAMES[0] in text
    assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cf")} - {"\n", "\t"}


def test_no_name_forges_a_line(done: Done) -> None:
    _, _, said = done
    for given, one in said.items():
        if given[-1] == "html" and "--all" not in given:
            continue  # the lines of a page's source are not those that a reader sees
        lines = f"{one.out}\n{one.err}".split("\n")
        assert not [line for line in lines if line.startswith(FORGED)], given


def test_extracted_files_have_safe_names_in_the_folder(done: Done) -> None:
    made, _, said = done
    folder = made.folder / "files"
    files = sorted(folder.iterdir())
    assert len(files) == len(NAMES)
    assert {path.read_bytes() for path in files} == {b"leaf %d" % n for n in range(len(NAMES))}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert all(path.is_file() and not path.is_symlink() for path in files)
    assert not (made.folder / "none").exists() or not list((made.folder / "none").iterdir())
    again = [one for given, one in said.items() if given[0] == "extract"]
    assert {one.code for one in again} == {1, 4}


def test_a_spreadsheet_gets_no_formula_and_every_row(done: Done) -> None:
    made, _, _ = done
    text = made.plain("ids", kept(made), "--format", "csv").out
    rows = list(csv.reader(io.StringIO(text, newline="")))
    known = {row["source_id"] for row in made("ids", kept(made)).ok()}
    assert {row[1] for row in rows[1:]} == known
    assert len(known) > 2 * len(NAMES)
    assert {len(row) for row in rows} == {4}
    wide = "\uff1d\uff0b\uff0d\uff20"
    assert not [cell for row in rows for cell in row if cell.startswith((*f"=+-@{wide}\t\r\n",))]


def test_the_sql_loads_with_the_same_content(done: Done) -> None:
    made, _, _ = done
    script = made.plain("ids", kept(made), "--format", "sql").out
    rows = made("ids", kept(made)).ok()
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.executescript(script)
        loaded = conn.execute("SELECT kind, source_id, target_id, name FROM id_map").fetchall()
    assert sorted(loaded) == sorted(
        (r["kind"], r["source_id"], r["target_id"], r["name"].replace("\0", "")) for r in rows
    )


def test_the_documents_are_one_json_document_each(done: Done) -> None:
    made, thread, _ = done
    for given in commands(made, thread):
        if given[0] in ("snapshot", "apply", "rollback", "extract", "plan"):
            continue
        said = made(*given)
        if said.code != 2:
            json.loads(said.out)


def test_an_id_is_never_sql(done: Done) -> None:
    made, _, _ = done
    evil = "x' OR '1'='1"
    assert made("ids", made.db, evil).code == 1
    made("show", made.db, evil).error(2)
    made("transcript", made.db, evil).error(2)
    assert made("extract", made.db, evil, "--dir", str(made.folder / "sql")).code == 1
    assert made("search", made.db, "%_'\";--").code == 1
    assert made("ls", f"{made.db}@{evil}").code == 2


def test_markdown_of_a_thread_holds_no_html_and_fetches_nothing(done: Done) -> None:
    made, thread, _ = done
    path = made.folder / "thread.md"
    assert made.plain("transcript", made.db, thread, "--format", "markdown", "-o", str(path)).code == 0
    text = path.read_text(encoding="utf-8")
    assert "<" not in text
    assert "![" not in text.replace("\\[", "")
    assert "](" not in text.replace("\\]", "")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_transcript_takes_the_place_of_no_archive(done: Done) -> None:
    made, thread, _ = done
    made("transcript", made.db, thread, "-o", made.db).error(4)
    assert Path(made.db).read_bytes().startswith(b"SQLite")


def test_a_difference_report_in_a_file(done: Done) -> None:
    made, _, _ = done
    path = made.folder / "diff.txt"
    assert made.plain("diff", made.db, "target", "-o", str(path)).code == 1
    text = path.read_text(encoding="utf-8")
    assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cf")} - {"\n", "\t"}


def test_a_command_in_a_process_of_its_own_writes_the_same(done: Done) -> None:
    """Its standard output accepts only UTF-8, or less."""
    made, thread, _ = done
    made.env["PYTHONIOENCODING"] = "utf-8"
    for given in (
        ("ids", kept(made), "--format", "csv"),
        ("ids", kept(made), "--format", "sql"),
        ("ls", made.db),
        ("transcript", made.db, thread),
        ("search", made.db, "half"),
    ):
        said = made.alone(*given)
        assert (said.code, said.err) == (0, ""), given
