"""What `export` writes can be imported, whatever texts an estate contains."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.cli import program
from migrate.codecs.terraform import agents_as_terraform
from migrate.model.results.export import TerraformExport
from migrate.reports.commands.export import terraform_document, terraform_text
from tests.archive.filling import write
from tests.strategies import few

SPECIAL = (
    "\ud800",
    "\udc00\ud800",
    "\ufeff",
    "\u2028",
    "\u2029",
    "\x85",
    "\x00",
    "\x7f",
    "\x1b[31m",
    "\r",
    "\r\n",
    "\n",
    "\t",
    " ",
    "---",
    "---\n",
    "...",
    "{{name}}",
    "#",
    ": ",
    "- ",
    "? ",
    "&a",
    "*a",
    "!x",
    "|",
    ">",
    "%",
    "@",
    "`",
    "'",
    '"',
    "\\",
    "yes",
    "null",
    "~",
    "0x1f",
    "1e3",
    "2024-01-01",
    "\u202e",
    "\u200b",
    "\U0001f600",
    "e\u0301",
    "../..",
    "CON",
    "a/b",
    "=1+1",
    "\U0010ffff",
)
texts = st.lists(st.sampled_from(SPECIAL) | st.text(st.characters(exclude_categories=()), max_size=4),
                 max_size=5).map("".join)  # fmt: skip
keys = texts.filter(bool)
assistants = st.fixed_dictionaries(
    {"name": st.none() | texts, "instructions": st.none() | texts, "description": st.none() | texts,
     "model": texts, "metadata": st.dictionaries(keys, texts, max_size=3)}
)  # fmt: skip
HUGE = {"name": "huge", "model": "m", "instructions": "x" * 256_001, "description": "d" * 600, "metadata": {}}
HALF = {"name": "half", "model": "m", "instructions": "a\ud800b", "description": "\udfff",
        "metadata": {"k\ud800": "\udc00"}}  # fmt: skip


def body(number: int, said: dict[str, Any]) -> dict[str, Any]:
    row = {"id": f"asst_{number}", "object": "assistant", "created_at": 1, "tools": [], **said}
    return {key: value for key, value in row.items() if value is not None}


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(program, arguments, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return int(done.return_value or 0), done.stdout


@few(2)
@example([HUGE, HALF])
@example([HUGE | {"name": "\ud800"}, HALF | {"name": ""}])
@given(st.lists(assistants, min_size=1, max_size=3))
def test_a_hostile_estate_is_the_same_after_it_was_exported(said: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db, config = str(Path(folder, "a.db")), str(Path(folder, "config"))
        rows = [body(number, one) for number, one in enumerate(said)]
        with Archive.open(Path(db), write=True, create=True) as archive:
            write(archive, [("file", "", []), ("vector_store", "", []), ("assistant", "", rows)])
        assert run("export", db, config, "--quiet")[0] == 0
        code, out = run("diff", config, db, "--json", "--quiet")
        assert (code, json.loads(out)["differences"]) == (0, 0), out
        assert run("export", db, config, "--quiet", "--json")[0] == 0


@pytest.mark.parametrize(("said", "field"), [(HUGE, "instructions"), (HALF, "instructions")])
def test_what_breaks_a_rule_of_the_files_is_marked_as_unchecked(
    tmp_path: Path, said: dict[str, Any], field: str
) -> None:
    db = str(tmp_path / "a.db")
    with Archive.open(Path(db), write=True, create=True) as archive:
        write(archive, [("file", "", []), ("vector_store", "", []), ("assistant", "", [body(1, said)])])
    assert run("export", db, str(tmp_path / "config"), "--quiet")[0] == 0
    written = next((tmp_path / "config" / "assistants").glob("*.md")).read_text(encoding="utf-8")
    assert f"  - {field}\n" in written.partition("unchecked:")[2]


def test_texts_that_terraform_would_change_are_reported(tmp_path: Path) -> None:
    db = str(tmp_path / "a.db")
    said = {
        "name": "cafe",
        "model": "gpt-4o",
        "instructions": "cafe\u0301",
        "metadata": {"k": "e\u0301", "l": "\u00e9"},
    }
    with Archive.open(Path(db), write=True, create=True) as archive:
        write(archive, [("file", "", []), ("vector_store", "", []), ("assistant", "", [body(1, said)])])
    code, out = run("export", db, str(tmp_path / "tf"), "--format", "azapi", "--json", "--quiet")
    assert code == 0
    named = json.loads(out)["normalized"]
    assert [line.partition(": ")[2] for line in named] == ["definition.instructions", "metadata.k"]
    assert (
        "the first plan shows it"
        in run("export", db, str(tmp_path / "tf"), "--format", "azapi", "--quiet")[1]
    )


def test_halves_of_character_pairs_are_named_where_terraform_gets_another_sign() -> None:
    agents = {
        "desk": {"definition": {"instructions": "half \ud83d of it"}, "metadata": {"k": "\U0001f600"}},
        "key": {"metadata": {"\udc00": "v"}},
        "whole": {"definition": {"instructions": "\U0001f600"}},
    }
    found = agents_as_terraform(agents, "", existing=True)
    assert found.replaced == ["desk: definition.instructions", "key: metadata.\udc00 (the key)"]
    shown = terraform_text(TerraformExport(found), "agents.tf")
    assert shown.count("becomes U+FFFD") == 2
    assert terraform_document(TerraformExport(found), "agents.tf")["replaced"] == found.replaced
