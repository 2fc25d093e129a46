"""What every format must contain of a report, and the rules between results and reports."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from migrate.cli.report_options import FORMATS, rendered
from migrate.model.object_diff import FieldDifference
from migrate.model.results.diff import DiffResult
from migrate.reports.commands import diff, plan
from migrate.reports.diagram import MAX_BOXES_PER_COLUMN, layout_diagram
from migrate.reports.formats.html import MAX_VALUE_CHARS, html_page
from migrate.reports.report import SECTIONS, SEVERITIES, VERDICTS, Report
from migrate.stages.diff.run import Change
from tests.reports.hostile import HOSTILE, hostile
from tests.reports.sample_reports import LOSSES, Diagram, DiagramNode, documents, many, reports

COMMANDS = reports()


def data(report: Report) -> dict[str, object]:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', html_page(report), re.DOTALL
    )
    assert found
    loaded: dict[str, object] = json.loads(found[1])
    return loaded


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_format_names_every_object_and_field(name: str, format_: str) -> None:
    text = rendered(format_, documents()[name], COMMANDS[name])
    items = [item for item in COMMANDS[name].items if format_ != "json" or item.section != "actions"]
    assert items  # the actions of a plan are in the plan file
    for item in items:
        assert item.name.replace("every one", "") in text
        assert item.left_id in text
        assert item.right_id in text
        assert all(detail.path in text for detail in item.details if detail.path != plan.WHOLE_OBJECT)


@pytest.mark.parametrize("format_", FORMATS)
def test_what_rules_took_out_is_in_every_format(format_: str) -> None:
    text = rendered(format_, documents()["diff"], COMMANDS["diff"])
    for said in ("assistant * $.metadata.deployed_at", "set by the pipeline", "2027-01-01", "16"):
        assert said in text
    assert "file *.tmp: expired on 2026-10-01" in text
    assert "run: never compared across services" in text
    assert "thread * on the right: this service lists no threads" in text


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_bears_hostile_text(format_: str) -> None:
    text = rendered(format_, {"text": HOSTILE}, hostile())
    text.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\u202e]", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_items_use_the_declared_words_in_the_declared_order(name: str) -> None:
    items = COMMANDS[name].items
    assert {item.section for item in items} <= SECTIONS.keys()
    assert {item.verdict for item in items} <= VERDICTS.keys()
    assert {item.severity for item in items} <= set(SEVERITIES)
    sections = [list(SECTIONS).index(item.section) for item in items]
    assert sections == sorted(sections)


def test_one_item_per_object_grade_and_consent() -> None:
    found = [(item.left_id, item.verdict, item.note, item.needs_action) for item in plan.loss_items(LOSSES)]
    assert found == [
        ("asst_2", "blocked", "", True),
        ("asst_1", "lost", "", True),
        ("asst_1", "lost", "accepted", False),
        ("asst_1", "adapted", "", False),
        ("msg_1", "adapted", "", False),
        ("", "adapted", "", False),
    ]


def test_a_comparison_with_only_changes_is_enough() -> None:
    found = DiffResult([Change("file", "a", "", "a.txt", "removed")], {"file": 1})
    report = diff.diff_report(found, "a.db", "b.db")
    assert report.ignored == ()
    assert report.items[0].since == ""
    assert diff.diff_document(found)["changes"][0]["paired_by"] == ""


def test_a_header_of_a_tool_is_in_no_format() -> None:
    secret = "Bearer abc"
    paths = (
        FieldDifference("tools[0].mcp.headers.Authorization", secret, f"{secret}d"),
        FieldDifference("tools[1]", None, {"type": "mcp", "headers": {"Authorization": secret}}),
    )
    found = DiffResult([Change("assistant", "a", "b", "a", "changed", paths)], {"assistant": 1})
    for format_ in FORMATS:
        assert secret not in rendered(format_, diff.diff_document(found), diff.diff_report(found, "a", "b"))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_ends_the_script_that_holds_it(text: str) -> None:
    page = html_page(replace(hostile(), items=hostile().items[:4], title=text))
    assert page.count("<script") == page.count("</script>") == 2
    assert "<!--" not in page.split('id="data">')[1].split("</script>")[0]


def test_the_page_holds_texts_whole_until_they_are_too_many() -> None:
    long = "Water the beds and the pots. " * 4_000
    paths = (FieldDifference("instructions", f"{long}A", f"{long}B"),)
    changes = [Change("assistant", f"a{n}", f"b{n}", "", "changed", paths) for n in range(60)]
    page = html_page(diff.diff_report(DiffResult(changes, {"assistant": 60}), "a", "b"))
    assert len(page) < 6_000_000
    assert page.count("[3,") > 10


def test_a_value_that_is_too_long_is_cut_with_a_count() -> None:
    paths = (FieldDifference("tools[0]", None, {"text": "x" * 300_000}),)
    found = DiffResult([Change("assistant", "a", "b", "", "changed", paths)], {"assistant": 1})
    page = html_page(diff.diff_report(found, "a", "b"))
    assert "more characters)" in page
    assert len(page) < MAX_VALUE_CHARS + 100_000


def test_ten_thousand_findings_are_all_in_the_page() -> None:
    items = data(many(10_000))["items"]
    assert isinstance(items, list)
    assert len(items) == 10_000


# ------------------------------------------------------------------------------------- the picture


def test_boxes_beyond_the_room_are_counted() -> None:
    files = tuple(DiagramNode("file", f"f{n}", f"{n}.txt") for n in range(MAX_BOXES_PER_COLUMN + 5))
    nodes = (*files, DiagramNode("assistant", "a", "Gardener"))
    found = layout_diagram(
        "east",
        Diagram(
            nodes, tuple((MAX_BOXES_PER_COLUMN + 5, n) for n in range(MAX_BOXES_PER_COLUMN + 5)), {"file": 7}
        ),
    )
    assert len(found.boxes) == MAX_BOXES_PER_COLUMN + 1
    assert found.left_out == (("Files", 12),)
    assert found.heads[2][2] == MAX_BOXES_PER_COLUMN + 12
    assert len(found.curves) == MAX_BOXES_PER_COLUMN


def test_neighbours_are_near_each_other() -> None:
    nodes = (
        *(DiagramNode("assistant", f"a{n}", "") for n in range(9)),
        *(DiagramNode("vector_store", f"s{n}", "") for n in range(9)),
    )
    edges = tuple((n, 17 - n) for n in range(9))
    places = {box.name: box.y for box in layout_diagram("east", Diagram(nodes, edges, {})).boxes}
    assert all(places[f"a{n}"] == places[f"s{8 - n}"] for n in range(9))


def test_edges_to_nowhere_and_strange_marks_are_borne() -> None:
    found = layout_diagram(
        "east",
        Diagram(
            (DiagramNode("file", "f", "", ("odd", "expired")), DiagramNode("odd", "o", "")),
            ((0, 9), (0, 1), (-1, 0)),
            {},
        ),
    )
    assert [box.marks for box in found.boxes] == [("expired",)]
    assert found.curves == ()
    assert layout_diagram("nothing", Diagram((), (), {})).boxes == ()
