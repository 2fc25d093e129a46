"""A small result of each of the five commands with reports, as a record, a report and a JSON document."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from migrate.model.object_diff import FieldDifference
from migrate.model.results.apply import (
    ApplyResult,
    FailedObject,
    RollbackResult,
    VerifyFinding,
    VerifyResult,
)
from migrate.model.results.archive import MissingObject
from migrate.model.results.cost import Cost
from migrate.model.results.diff import Change, DiffResult, IgnoreCount
from migrate.model.results.drill import (
    DrillResult,
    DrillStep,
    KindReading,
    RemainingObject,
)
from migrate.model.results.plan import (
    Action,
    Assessment,
    ChangeRow,
    FieldOutcome,
    LossRow,
    PathChange,
    Plan,
    SourceSide,
    TargetSettings,
    TargetSide,
)
from migrate.model.results.query import Diagram, DiagramNode
from migrate.model.results.retirements import Retiring, RetiringObject, UnknownModel
from migrate.model.sample import Sample
from migrate.reports.commands import apply, diff, drill, plan
from migrate.reports.report import Report

MADE_AT, VERSION = "2026-11-20T06:00:00+00:00", "1.2.3"


HANDBOOK = "".join(
    f"{n}. In bed {n} the {plant} want water {often}, and no more than they can drink.\n"
    for n, (plant, often) in enumerate(
        [("roses", "daily"), ("tulips", "weekly"), ("ferns", "twice a day"), ("herbs", "on dry days")] * 3, 1
    )
)
BEFORE = (
    f"You are the gardener of a botanical garden.\n{HANDBOOK}Answer in one sentence. Never guess a dose.\n"
)
AFTER = BEFORE.replace("one sentence", "at most two short sentences").replace(
    "bed 7 the roses", "bed 7 the lilies"
)

PICTURE = Diagram(
    (
        DiagramNode("assistant", "asst_1", "Gardener"),
        DiagramNode("assistant", "asst_2", "Plant Desk"),
        DiagramNode("assistant", "asst_3", "Old helper"),
        DiagramNode("vector_store", "vs_1", "Handbooks"),
        DiagramNode("vector_store", "vs_2", "Visitor uploads", ("expired",)),
        DiagramNode("vector_store", "vs_3", "Test store", ("orphan", "unused")),
        DiagramNode("file", "file_1", "greenhouse-handbook.md"),
        DiagramNode("file", "file_2", "price-list-2025.pdf", ("duplicate",)),
        DiagramNode("file", "file_3", "price-list-2025 (1).pdf", ("duplicate", "orphan")),
        DiagramNode("file", "file_4", "visitor-guide.txt"),
        DiagramNode("thread", "thread_1", "", (), 42),
        DiagramNode("thread", "thread_2", "Visit of the school"),
    ),
    ((0, 3), (1, 3), (1, 4), (3, 6), (3, 7), (4, 9), (0, 10), (1, 11), (10, 4)),
    {"file": 12},
)


def a_difference() -> DiffResult:
    """Four changes, and some that rules removed."""
    changes: list[Change] = [
        Change("assistant", "asst_1", "office-gardener", "Gardener", "changed",
             (FieldDifference("instructions", BEFORE, AFTER), FieldDifference("temperature", 1, 0.4),
              FieldDifference("tools[function:water].function.strict", None, True)), paired_by="journal",
             since="2026-11-18T07:00:00+00:00"),
        Change("vector_store", "vs_1", "vs_9", "Handbooks", "changed",
             (FieldDifference("status", "", "expired"),), True,
             "name", since="2026-11-19T07:00:00+00:00"),
        Change("file", "file_4", "", "visitor-guide.txt", "removed", since="2026-11-18T07:00:00+00:00"),
        Change("file", "", "file_8", "visitor-guide-v2.txt", "added"),
    ]  # fmt: skip
    return DiffResult(
        changes,
        {"assistant": 17, "vector_store": 4, "file": 12},
        ["thread * on the right: this service lists no threads"],
        (IgnoreCount("assistant * $.metadata.deployed_at", "set by the pipeline", "2027-01-01", 16),),
        ("file *.tmp: expired on 2026-10-01 (left from the trial)",),
        ("run: never compared across services",),
        retiring=(("left", ENDING), ("right", Retiring("2026-11-20", ENDING.objects[1:]))),
    )


LOSSES = (
    LossRow(kind="assistant", id="asst_2", field="model", grade="blocked", name="Plant Desk",
            reason="the target has no deployment 'gpt-4-1106-preview'",
            way_out="deploy it, or name another: --models gpt-4-1106-preview=NAME"),
    LossRow(kind="assistant", id="asst_1", field="tools", grade="lost", name="Gardener",
            reason="no counterpart to deep_research", way_out="a model with web search, by hand"),
    LossRow(kind="assistant", id="asst_1", field="tool_resources.mcp.headers", grade="lost", name="Gardener",
            reason="secrets are never copied", way_out="a connection that holds them", accepted=True),
    LossRow(kind="assistant", id="asst_1", field="name", grade="adapted", name="Gardener",
            reason="names are addresses there: becomes gardener"),
    LossRow(kind="message", id="msg_1", parent="thread_2", field="created_at", grade="adapted",
            name="2026-11-18 07:00 user: How often do the roses want water",
            reason="set by the server; the original time is in the archive"),
    LossRow(kind="thread", id="*", field="id", grade="adapted", reason="given by the server"),
)  # fmt: skip


NOT_TAKEN = tuple(
    LossRow(kind="message", id=f"msg_{number}", parent="thread_2", field="content.text.annotations",
            grade="lost", name=f"2026-11-18 07:0{number} assistant: The roses want water daily",
            reason=f"it arrived without this: {number} citation(s) cannot be written",
            way_out="the archive has them")
    for number in range(1, 4)
)  # fmt: skip


def an_assessment() -> Assessment:
    """Losses of every grade."""
    kinds = {
        "assistant": Counter(kept=60, adapted=1, lost=2, blocked=1),
        "message": Counter(kept=133, adapted=1),
        "thread": Counter(kept=3, adapted=1),
    }
    return Assessment(
        "https://east.openai.azure.com", "https://acme.services.ai.azure.com/api/projects/garden",
        a_plan().model_copy(update={"retiring": None}),
        [FieldOutcome("assistant", "asst_1", "instructions", "", "Gardener")], kinds,
        source_retiring=ENDING,
    )  # fmt: skip


def a_plan() -> Plan:
    """One action of each type, and the losses."""
    return Plan(
        format=1,
        created_at=MADE_AT,
        nonce="0" * 16,
        source=SourceSide(archive="estate.db", snapshot=3, type="foundry-classic", digest="d",
                          state="complete", url="https://acme.services.ai.azure.com/api/projects/garden"),
        target=TargetSide(estate="new", type="foundry", api_version="v1", digest="e",
                          url="https://acme.services.ai.azure.com/api/projects/garden"),
        settled=TargetSettings(models={}),
        actions=(
            Action(action="adopt", kind="file", id="file_1", name="greenhouse-handbook.md",
                   target_id="file_1"),
            Action(action="create", kind="vector_store", id="vs_1", name="Handbooks"),
            Action(action="create", kind="vector_store_file", id="file_1", parent="vs_1"),
            Action(action="create", kind="vector_store_file", id="file_2", parent="vs_1"),
            Action(action="update", kind="assistant", id="asst_1", name="Gardener", target_id="gardener",
                   fields=("instructions", "temperature")),
            Action(action="blocked", kind="assistant", id="asst_2", name="Plant Desk"),
            Action(action="create", kind="thread", id="thread_2", messages=12),
            Action(action="delete", kind="assistant", id="asst_3", name="Old helper", target_id="old-helper"),
            Action(action="skip", kind="assistant", id="asst_4", name="Asleep", target_id="asleep"),
        ),
        losses=LOSSES,
        unread=("file file_7: its bytes",),
        retiring=ENDING,
        changes=(
            ChangeRow(kind="assistant", left_id="gardener", right_id="asst_1", name="Gardener",
                      paths=(PathChange("instructions", BEFORE, AFTER), PathChange("temperature", 1, 0.4))),
            ChangeRow(kind="assistant", left_id="asleep", right_id="asst_4", name="Asleep", conflict="kept",
                      paths=(PathChange("tools[file_search]", None, {"type": "file_search"}),)),
        ),
        cost=Cost(18, 1_234_567, 12.3, "last apply", 1),
        digest="f",
    )  # fmt: skip


ENDING = Retiring(
    "2026-11-20",
    (
        RetiringObject("service", "foundry-classic", "the service of Foundry classic agents", "", "",
                       "2027-03-31", 131, "announced", "page of the maker", "2026-11-30", "move"),
        RetiringObject("assistant", "asst_1", "Gardener", "main", "gpt-4.1 2025-04-14", "2026-12-14", 24,
                       "announced", "page of the maker", "2026-11-30", '"main" = "DEPLOYMENT"'),
    ),
    (UnknownModel("side", 2, "not shown"),),
)  # fmt: skip


def a_verification() -> VerifyResult:
    """Findings of every verdict."""
    return VerifyResult(
        {"file": 12, "assistant": 17, "message": 70},
        [
            VerifyFinding(
                "assistant", "asst_1", "gardener", "Gardener", "instructions", "differs", BEFORE, AFTER
            ),
            VerifyFinding("assistant", "asst_1", "gardener", "Gardener", "temperature", "differs", 1, 0.4),
            VerifyFinding("message", "", "msg_9", "", "[4]", "in conv_1, but not in thread_2"),
            VerifyFinding("file", "file_4", "", "visitor-guide.txt", "", "it is not on the target"),
            VerifyFinding("vector_store_file", "file_2", "file_2", "", "status",
                    "the service could not ingest it: unsupported_file"),
            VerifyFinding("assistant", "asst_3", "old-helper", "Old helper", "",
                    "was deleted by the plan, but still exists"),
        ],
        ["2 file(s): the service does not return the bytes, so only names and sizes are proven"],
        list(NOT_TAKEN),
        ENDING,
    )  # fmt: skip


def a_drill() -> DrillResult:
    """A drill with a sample: a blocked object, a finding, a file that failed, a gap, and one left behind."""
    at = "2026-11-19T03:17:00+00:00"
    return DrillResult(
        plan=a_plan(),
        sample=Sample(5.0, 7),
        objects=20,
        all_objects=400,
        readings=(
            KindReading("file", None),
            KindReading("assistant", 12, at, 96_180),
            KindReading("thread", 11, at, 182_580, "threads were not listed, only read by ids"),
        ),
        steps=(DrillStep("check", 0.25, 0.25), DrillStep("restore", 12.5, 250.0)),
        applied=ApplyResult(
            created=18,
            failed=[FailedObject("file", "file_7", "hours.txt", "400: the file is too large")],
            losses=list(NOT_TAKEN),
        ),
        verified=a_verification(),
        removed=RollbackResult(removed=17),
        missing=(MissingObject("thread", "*", "GET /threads answered 500"),),
        remaining=(RemainingObject("assistant", "asst_new9", "Left behind"),),
        removed_before=3,
        retiring=ENDING,
    )


def reports(pictures: tuple[tuple[str, Any], ...] = (("east", PICTURE),)) -> dict[str, Report]:
    """A report of each command, with fixed time and version."""
    given: dict[str, Any] = {"made_at": MADE_AT, "version": VERSION, "pictures": pictures}
    made = {
        "diff": diff.diff_report(a_difference(), "estate.db@1", "east"),
        "assess": plan.assess_report(an_assessment()),
        "plan": plan.plan_report(a_plan(), "plan.json"),
        "verify": apply.verify_report(a_verification(), "estate.db@3", "new"),
        "drill": drill.drill_report(a_drill()),
    }
    return {command: replace(report, **given) for command, report in made.items()}


def equal() -> Report:
    """A report of a comparison without differences."""
    report = diff.diff_report(DiffResult([], {"assistant": 17}), "a.db@1", "a.db@2")
    return replace(report, made_at=MADE_AT, version=VERSION)


def documents() -> dict[str, Any]:
    """The JSON document of each command."""
    return {
        "diff": diff.diff_document(a_difference()),
        "assess": plan.assess_document(an_assessment()),
        "plan": plan.plan_document(a_plan(), "plan.json"),
        "verify": apply.verify_document(a_verification()),
        "drill": drill.drill_document(a_drill()),
    }


def many(number: int) -> Report:
    """A report of very many findings."""
    kinds = ("assistant", "file", "vector_store", "thread", "message")
    verbs = ("changed", "removed", "added")
    changes: list[Change] = [
        Change(kinds[n % 5], f"left_{n}", f"right_{n}", f"Object {n} of bed {n % 97}", verbs[n % 3],
             (FieldDifference("temperature", n, n + 1),
              FieldDifference("instructions", f"Water bed {n} daily.", f"Water bed {n} weekly.")))
        for n in range(number)
    ]  # fmt: skip
    report = diff.diff_report(DiffResult(changes, dict.fromkeys(kinds, number)), "a.db", "b.db")
    return replace(report, title="very many", made_at=MADE_AT, version=VERSION)
