"""Losses of many objects are one line in text and Markdown, and one record each in the other formats."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module

import pytest

from migrate.cli.report_options import rendered
from migrate.model.results.plan import LossRow
from migrate.reports.commands.plan import loss_items, plan_document, plan_report
from migrate.reports.formats.terminal import terminal_text
from migrate.reports.loss_groups import MAX_EXAMPLES, group_losses
from migrate.reports.report import LIST_OPTIONS, Report
from tests.reports.sample_reports import a_plan

MESSAGES = 10_000


def citation(number: int) -> LossRow:
    return LossRow(
        kind="message", id=f"msg_{number:05}", parent=f"thread_{number % 7}", grade="lost",
        field="content.text.annotations", name=f"2026-11-18 07:00 assistant: Answer {number}",
        reason=f"{number % 9 + 1:,} citation(s) cannot be written", way_out="the archive has them",
    )  # fmt: skip


def row(id_: str, reason: str, grade: str = "lost", way_out: str = "", field: str = "tools") -> LossRow:
    return LossRow(kind="assistant", id=id_, field=field, grade=grade, reason=reason, way_out=way_out)  # type: ignore[arg-type]


def report(losses: tuple[LossRow, ...], all_objects: bool = False) -> Report:
    return plan_report(a_plan().model_copy(update={"losses": losses}), "plan.json", all_objects)


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_ten_thousand_messages_with_lost_citations_are_one_line(format_: str) -> None:
    text = rendered(format_, None, report(tuple(map(citation, range(MESSAGES)))))
    (line,) = [line for line in text.splitlines() if "citation(s)" in line]
    for part in (
        "… citation(s) cannot be written",
        "10,000 objects, such as",
        "assistant: Answer 0 [msg_00000] in thread_0",
        "Answer 2 [msg_00002] in thread_2",
        "the archive has them",
    ):
        assert part in line
    assert "msg_00003" not in text
    assert "--all" in text


def test_all_lists_every_object_as_text_and_as_markdown() -> None:
    losses = tuple(map(citation, range(100)))
    text = rendered("text", None, report(losses, all_objects=True))
    markdown = rendered("markdown", None, report(losses, all_objects=True))
    for loss in losses:
        assert f"[{loss.id}]" in text
        assert loss.id in markdown
    assert "--all" not in text


@pytest.mark.parametrize("format_", ["html", "junit", "json"])
def test_the_other_formats_have_every_object(format_: str) -> None:
    losses = tuple(map(citation, range(100)))
    plan = a_plan().model_copy(update={"losses": losses})
    text = rendered(format_, plan_document(plan, "plan.json"), plan_report(plan, "plan.json"))
    assert all(loss.id in text for loss in losses)
    if format_ == "json":
        assert len(json.loads(text)["losses"]) == 100


@pytest.mark.parametrize(("first", "second", "shown"), [
    ("names file-abc1", "names file-abc2", "names …"),
    ("12 bytes, the target accepts 5", "7 bytes, the target accepts 5", "… bytes, the target accepts 5"),
    ("image a.png is gone", "image b-2.png is gone", "image … is gone"),
    ("key 'a' is too long", "key 'b' is too long", "key … is too long"),
    ("gpt-4 is gone", "gpt-4 is gone", "gpt-4 is gone"),
    ("'Café é' becomes 'Cafe-e', by name", "'Bar' becomes 'Bar-1', by name", "… becomes …, by name"),
])  # fmt: skip
def test_reasons_that_differ_in_ids_and_numbers_are_one(first: str, second: str, shown: str) -> None:
    (group,) = group_losses(loss_items([row("asst_1", first), row("asst_2", second)]))
    assert str(group.reason) == shown
    assert group.count == 2


@pytest.mark.parametrize(("first", "second"), [
    (row("asst_1", "gpt-4 is gone"), row("asst_2", "gpt-5 is gone")),
    (row("asst_1", "no deployment 'a'", "blocked"), row("asst_2", "no deployment 'b'", "blocked")),
    (row("asst_1", "same", way_out="one"), row("asst_2", "same", way_out="another")),
    (row("asst_1", "same"), replace(row("asst_2", "same"), accepted=True)),
    (row("asst_1", "same"), row("asst_2", "same", field="model")),
    (row("asst_1", "same"), replace(row("file_1", "same"), kind="file")),
    (row("asst_1", "same"), row("*", "same")),
])  # fmt: skip
def test_losses_that_need_different_decisions_are_apart(first: LossRow, second: LossRow) -> None:
    assert len(group_losses(loss_items([first, second]))) == 2


def test_an_object_with_two_losses_of_one_reason_counts_once() -> None:
    losses = [
        row("asst_1", "tool 'a' is lost"),
        row("asst_1", "tool 'b' is lost"),
        row("asst_2", "tool 'c' is lost"),
    ]
    (group,) = group_losses(loss_items(losses))
    assert group.count == 2
    assert [item.left_id for item in group.examples] == ["asst_1", "asst_2"]


def test_as_many_objects_as_examples_are_named_without_a_count() -> None:
    (group,) = group_losses(loss_items([row(f"asst_{n}", "same") for n in range(MAX_EXAMPLES)]))
    assert group.objects == "[asst_0]; [asst_1]; [asst_2]"
    assert not group.has_more


def test_hints_name_options_that_their_commands_have() -> None:
    for name, options in LIST_OPTIONS.items():
        command = getattr(import_module(f"migrate.cli.commands.{name}"), f"{name}_command")
        known = {option: tuple(param.opts) for param in command.params for option in param.opts}
        for option in (options.report, options.every_object):
            assert not option or option in known, f"{name} has no {option}"
        takes_reports = "--format" in known
        assert bool(options.report) == takes_reports, name
        assert bool(options.every_object) == ("--all" in known), name
        # `-o` of some commands is no report.
        assert options.report != "-o" or known["-o"] != ("-o", "--output") or takes_reports


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_a_shortened_list_refers_to_the_whole_one(format_: str) -> None:
    losses = tuple(row(f"asst_{n}", f"{chr(97 + n % 26) * (n // 26 + 3)} is gone") for n in range(60))
    for command, shown, here in (
        ("plan", "--report report.html", "--all"),
        ("verify", "-o report.html", "-o report.html"),
        ("apply", "--json", "--json"),
    ):
        cut = replace(report(losses), command=command)
        if format_ == "text":
            assert f"and 20 more; all of them: {here}" in terminal_text(cut)
        else:
            long = tuple(replace(loss, reason=loss.reason * 90) for loss in losses * 4)
            assert shown in rendered(format_, None, replace(report(long), command=command, all_objects=True))
