"""The output for a terminal, a pipe and a text file."""

from __future__ import annotations

import re
import unicodedata

import pytest

from migrate.reports.formats.terminal import (
    MAX_OBJECTS_SHOWN,
    SIDE_BY_SIDE_MIN_COLUMNS,
    terminal_screen,
    terminal_text,
)
from migrate.reports.report import ItemDetail, Report, ReportItem
from tests.reports.hostile import HOSTILE, hostile
from tests.reports.sample_reports import AFTER, BEFORE, equal, many, reports

COLOUR = re.compile(r"\x1b\[[\d;]*m")


def visible_width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in COLOUR.sub("", text))


def test_a_pipe_gets_no_colour_and_whole_lines() -> None:
    text = terminal_text(reports()["diff"])
    assert "\x1b" not in text
    assert "Answer in [-one sentence-]{+at most two short sentences+}. Never guess a dose." in text.replace(
        "        ", ""
    )
    assert "temperature: 1 -> 0.4" in text
    assert "(paired by guess: name)" in text
    assert "since 2026-11-18T07:00:00+00:00" in text


@pytest.mark.parametrize("name", ["diff", "assess", "plan", "verify"])
@pytest.mark.parametrize("width", [40, 80, 119, 120, 200])
def test_nothing_is_wider_than_the_terminal(name: str, width: int) -> None:
    rows = [
        row for row in terminal_screen(reports()[name], width, colour=True).splitlines() if "  0 " not in row
    ]
    tables = ("kind ", "fields of", "assistant ", "vector_store", "file ", "thread ", "message ", "all ")
    assert max(visible_width(row) for row in rows if not row.startswith(tables)) <= width


def test_a_terminal_folds_long_lists_and_shows_how_much() -> None:
    text = terminal_screen(many(300), 100, colour=False)
    assert text.count("  ~ ") == MAX_OBJECTS_SHOWN
    assert f"and {100 - MAX_OBJECTS_SHOWN} more" in text
    assert terminal_text(many(300)).count("  ~ ") == 100


def test_a_file_is_never_folded() -> None:
    report = many(300)
    findings = tuple(
        ReportItem("findings", "differs", item.kind, item.name, item.left_id) for item in report.items
    )
    folded = Report("verify", "", "", "", False, "", items=findings)
    assert terminal_text(folded).count("  ~ ") == MAX_OBJECTS_SHOWN
    assert terminal_text(folded, whole=True).count("  ~ ") == 300


def test_colour_marks_what_came_and_went_and_signs_do_without() -> None:
    report = reports()["diff"]
    assert "\x1b[31mone sentence\x1b[0m" in terminal_screen(report, 100, colour=True)
    plain = terminal_screen(report, 100, colour=False)
    assert "[-one sentence-]{+at most two short sentences+}" in plain
    assert "\x1b" not in COLOUR.sub("", plain)
    assert not re.search(r"\x1b\[[\d;]*3\dm", plain)


def test_two_texts_are_side_by_side_where_there_is_room() -> None:
    report = reports()["diff"]
    row = next(r for r in terminal_screen(report, 140, colour=False).splitlines() if "Answer in" in r)
    left, right = row.split("│")
    assert "[-one sentence-]" in left
    assert "{+" not in left
    assert "{+at most two short sentences+}" in right
    assert "│" not in terminal_screen(report, SIDE_BY_SIDE_MIN_COLUMNS - 1, colour=False)


def test_a_long_text_is_folded_with_a_count() -> None:
    text = terminal_text(reports()["diff"])
    assert "[… 887 characters, 12 lines …]" in text
    assert "In bed 3" in BEFORE
    assert "In bed 3" in AFTER
    assert "In bed 3" not in text


@pytest.mark.parametrize("width", [0, 60, 140])
def test_hostile_text_is_shown_and_not_obeyed(width: int) -> None:
    text = terminal_screen(hostile(), width, colour=True) if width else terminal_text(hostile(), whole=True)
    text = COLOUR.sub("", text)
    assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}
    assert "\\x1b[31mred" in text.replace("\n", "").replace(" ", "") or width
    assert "[bold red]markup[/] :smile:" in text
    assert "\\ud800" in text
    for one in HOSTILE[:2]:
        assert one in text or width


def test_an_empty_result_is_two_lines() -> None:
    assert terminal_text(equal()) == "a.db@1 -> a.db@2\n0 differences in 17 objects"


def test_a_short_text_and_a_number_look_different() -> None:
    item = ReportItem(
        "differences", "changed", "assistant", details=(ItemDetail("x", "1", 1), ItemDetail("y", None, [1]))
    )
    text = terminal_text(Report("diff", "", "", "", False, "", items=(item,)))
    assert 'x: "1" -> 1' in text
    assert "y: (not there) -> [1]" in text
