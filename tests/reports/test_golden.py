"""Each format of a small report of each command, compared byte by byte with a reviewed file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reports.golden import GOLDEN, golden, write
from tests.reports.sample_reports import documents

WANTED = golden()


@pytest.mark.parametrize("name", WANTED)
def test_a_report_is_what_was_looked_at(name: str) -> None:
    said = "run: python -m tests.reports.golden, and look at the difference"
    assert (GOLDEN / name).read_bytes().decode("utf-8") == WANTED[name], said


def test_no_report_is_kept_that_nobody_makes(tmp_path: Path) -> None:
    write(tmp_path)
    assert {file.name for file in GOLDEN.iterdir()} == {file.name for file in tmp_path.iterdir()}


def test_the_page_about_reports_shows_one_that_was_looked_at() -> None:
    page = (GOLDEN.parents[1] / "docs/reports.md").read_text(encoding="utf-8")
    assert f"```text\n{WANTED['diff.txt']}```" in page
    shown = page.split("```markdown\n")[1].split("\n\n...\n```")[0]
    assert WANTED["diff.md"].startswith(shown)


def test_the_documents_keep_the_keys_that_others_rely_on() -> None:
    made = json.loads(json.dumps(documents(), default=str))
    assert {"differences", "changes", "compared", "unread"} <= made["diff"].keys()
    change = {"kind", "left_id", "right_id", "name", "action", "paths", "values", "guessed"}
    assert all(change <= row.keys() for row in made["diff"]["changes"])
    assert {"actions", "losses", "plan", "digest", "source", "target", "unread"} <= made["plan"].keys()
    verify = {"ok", "checked", "checked_by_kind", "findings", "losses", "notes", "retiring", "unknown_models"}
    assert verify == made["verify"].keys()
    keys = "ok readings steps seconds_for_all findings not_rebuilt left_behind removed sample objects"
    assert set(keys.split()) <= made["drill"].keys()
    assert {"source", "target", "totals", "kinds", "losses", "rows", "unread"} <= made["assess"].keys()
