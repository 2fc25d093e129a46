"""docs/json.md lists every key of the first level of every JSON document, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import World

PAGE = (Path(__file__).parents[2] / "docs/json.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (`.+?) \| (.+) \|$", PAGE, re.MULTILINE))
# Of several commands; the last table of the page describes them.
ENDING = {"retiring", "unknown_models"}
# Keys that a document has only in some cases.
SOMETIMES = {"shard", "hidden", "remarks"}


def listed(row: str) -> set[str]:
    """The keys of a row; those in parentheses are of the second level."""
    return set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", ROWS[row])))


@pytest.fixture
def documents(small: World, tmp_path: Path) -> dict[str, Any]:
    """Row of the table -> a document. The commands are in an order in which they can follow one another."""
    thread = next(iter(small.source.estate.threads))
    db, plan, folder = small.db, small.plan, tmp_path / "written"
    calls = {
        "doctor": ("source",),
        "snapshot": ("source", "-o", db),
        "snapshots": (db,),
        "ls": (db,),
        "ls --orphans`, `--unused`, `--expired`, `--duplicates": (db, "--unused"),
        "ls --retiring": (db, "--retiring"),
        "show": (db, thread),
        "history": (db, thread),
        "index": (db,),
        "search TEXT": (db, "e"),
        "search --query": (db, "--query", "kind:message"),
        "transcript": (db, thread),
        "transcript --all": (db, "--all", "--dir", str(folder / "all")),
        "extract": (db, "--dir", str(folder / "files")),
        "check": (db,),
        "merge": (db, "-o", str(folder / "all.db")),
        "forget": (db, "--keep-last", "1", "--dry-run"),
        "assess": (db, "--to", "target"),
        "diff": (db, "source"),
        "export": (db, str(folder / "agents")),
        "plan": (db, "target", "-o", plan, "--accept-loss", "all"),
        "apply": (plan, "--yes"),
        "verify": (plan,),
        "applies": (db,),
        "ids": (db,),
        "sync": ("source", "target", "-o", db, "--accept-loss", "all", "--dry-run"),
        "restore": (db, "--to", "target", "--accept-loss", "all", "--dry-run"),
        "rollback": (plan, "--yes"),
    }
    done = {row: small(row.split()[0].strip("`"), *arguments) for row, arguments in calls.items()}
    assert not [(row, result.err) for row, result in done.items() if not result.out]
    return {row: result.json for row, result in done.items()}


def test_every_key_is_listed_and_every_listed_key_is_there(documents: dict[str, Any]) -> None:
    for row, document in documents.items():
        assert document, row
        keys = set(document[0] if isinstance(document, list) else document)
        expected = listed(f"`{row}`") | (listed("`plan`") if row == "restore" else set())
        assert keys - ENDING <= expected, row
        assert expected - keys <= SOMETIMES, row
