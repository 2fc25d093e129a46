"""What the documentation says is what the program does: commands, codes, limits, links and SQL."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

from migrate import errors
from migrate.cli import COMMANDS, program
from migrate.cli.reference import reference
from migrate.codecs.profile import Profile, profile_for
from migrate.model import KINDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ARCHIVE = (ROOT / "docs/archive.md").read_text(encoding="utf-8")
MATRIX = (ROOT / "docs/support-matrix.md").read_text(encoding="utf-8")
SQL = re.findall(r"```sql\n(.+?)```", ARCHIVE, re.DOTALL)

OTHER_CODES = {0, 1}  # these are results, not failures
NEWEST_AZURE = "2025-04-01-preview"


def rows(text: str) -> Iterator[list[str]]:
    """The rows of every table below their heads, cell by cell."""
    lines = text.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("|") and not line.startswith("|--") and not after.startswith("|--"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def under(text: str, heading: str) -> str:
    """The part of a page below a heading."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"no heading {heading!r}"
    return found[1]


def test_the_reference_is_what_the_program_says() -> None:
    written = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert written == reference(), "run: make docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    text = under((ROOT / "docs/cli.md").read_text(encoding="utf-8"), name)
    command = program.get_command(click.Context(program), name)
    assert command is not None
    for parameter in command.params:
        spellings = (
            parameter.opts if isinstance(parameter, click.Option) else [(parameter.name or "").upper()]
        )
        assert all(spelling in text for spelling in spellings)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_names_every_command(name: str) -> None:
    assert re.search(rf"(`{name}`|assistants-migrate {name}\b)", README)


def test_the_readme_names_the_two_words_of_make() -> None:
    assert "make demo" in README
    assert "make test" in README


def test_the_readme_shows_no_command_or_option_that_does_not_exist() -> None:
    for name, rest in re.findall(r"assistants-migrate ([a-z]+)(.*)", README):
        command = program.get_command(click.Context(program), name)
        assert command is not None, name
        known = {spelling for p in command.params for spelling in (*p.opts, *p.secondary_opts)}
        given = set(re.findall(r"(?<!\S)--?[a-z-]+", rest.split("  ")[0]))
        assert given <= known


def test_the_exit_codes_are_those_of_the_errors() -> None:
    codes = {int(row[0]) for row in rows(under(README, "Exit codes")) if row[0].isdigit()}
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.MigrateError)]
    assert codes == OTHER_CODES | {c.exit_code for c in classes}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The archive that the demo leaves: a snapshot, bytes, and the journal of an apply."""
    folder = tmp_path_factory.mktemp("docs")
    call = [sys.executable, "-m", "migrate", "demo", "--dir", str(folder), "--quiet"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    conn = sqlite3.connect(folder / "estate.db")
    yield conn
    conn.close()


@pytest.mark.parametrize("sql", SQL, ids=range(len(SQL)))
def test_the_sql_examples_run_and_answer(archive: sqlite3.Connection, sql: str) -> None:
    answer = archive.execute(sql).fetchall()
    assert answer or "FROM missing" in sql


def test_the_views_have_the_columns_that_are_written_down(archive: sqlite3.Connection) -> None:
    present = {
        name: {column for _, column, *_ in archive.execute(f"PRAGMA table_info({name})")}
        for (name,) in archive.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
    }
    id_map = present.pop("id_map")
    told = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in rows(under(ARCHIVE, "Views"))}
    shared = {"snapshot", "id", "ordinal", "body"}
    assert {name: columns | shared for name, columns in told.items() if name in present} == present
    assert all(f"`{column}`" in ARCHIVE for column in id_map)


def test_every_table_is_written_down(archive: sqlite3.Connection) -> None:
    told = {name for row in rows(under(ARCHIVE, "Tables")) for name in re.findall(r"`(\w+)`", row[0])}
    present = {name for (name,) in archive.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert told == {name for name in present if not name.startswith("sqlite_")}


def shown(value: Any) -> str:
    """A limit as the page spells it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"`{value}`" if isinstance(value, str) else ", ".join(f"`{each}`" for each in sorted(value))


def test_every_limit_is_the_one_in_the_code() -> None:
    azure, openai = profile_for("azure-openai", NEWEST_AZURE), profile_for("openai")
    told = {row[0].strip("`"): row[1:3] for row in rows(under(MATRIX, "Limits"))}
    known = [field.name for field in fields(Profile) if field.name != "service"]
    assert told == {name: [shown(getattr(azure, name)), shown(getattr(openai, name))] for name in known}


def test_every_fact_is_told_with_the_reason_in_the_code() -> None:
    told = [tuple(row) for row in rows(under(MATRIX, "Never written"))]
    assert told == [(k.name, f"`{name}`", why) for k in KINDS.values() for name, why in k.facts.items()]


def test_every_field_of_every_kind_is_in_the_matrix() -> None:
    told = {(row[0], row[1].strip("`")) for row in rows(under(MATRIX, "Fields"))}
    assert told >= {(k.name, name) for k in KINDS.values() if k.replayed for name in k.fields}
