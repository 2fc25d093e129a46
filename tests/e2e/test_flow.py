"""The whole flow, command by command, between every pair of services."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.bundled_flows import ROUTES, Flow
from tests.e2e.bundled_flows import flow as run_flow

pytestmark = pytest.mark.exhaustive(5)


@pytest.fixture(scope="module", params=ROUTES)
def flow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    with run_flow(ROUTES[request.param], tmp_path_factory.mktemp("flow")) as done:
        yield done


def test_a_snapshot_counts_what_the_service_holds(flow: Flow) -> None:
    answer, lacking = flow.answers["snapshot"], flow.without_bytes
    assert flow.codes["snapshot"] == (3 if lacking else 0)
    assert answer["state"] == ("partial" if lacking else "complete")
    assert {(row["kind"], row["id"]) for row in answer["missing"]} == {("file", id_) for id_ in lacking}
    assert answer["counts"] == flow.object_counts


def test_an_archive_does_not_differ_from_its_live_source(flow: Flow) -> None:
    assert (flow.codes["itself"], flow.answers["itself"]["changes"]) == (0, [])
    assert flow.answers["itself"]["differences"] == 0


def test_an_empty_target_differs_in_every_object(flow: Flow) -> None:
    assert flow.codes["before"] == 1
    counts = flow.answers["snapshot"]["counts"]
    removed = {
        (c["kind"], c["left_id"]) for c in flow.answers["before"]["changes"] if c["action"] == "removed"
    }
    for kind in ("assistant", "file", "vector_store", "thread"):
        there = flow.route.shared and kind in ("file", "vector_store")
        assert len([1 for k, _ in removed if k == kind]) == (0 if there else counts[kind]), kind


def test_losses_are_reported_before_anything_is_written(flow: Flow) -> None:
    losses = flow.answers["strict"]["losses"]
    serious = [row for row in losses if row["grade"] in ("lost", "blocked")]
    # A project supports everything of the OpenAI estate, including citations.
    assert bool(serious) is (flow.route is not ROUTES["openai-foundry"])
    assert flow.codes["strict"] == bool(serious)
    assert [row for row in losses if row["grade"] == "adapted"]
    assert all(row.keys() >= {"kind", "id", "field", "grade", "reason"} for row in losses)
    assert all(row["reason"] for row in losses)


def test_accepted_losses_let_the_plan_pass(flow: Flow) -> None:
    assert flow.codes["plan"] == 0
    assert flow.planned.keys() == {"create", "update", "delete", "adopt", "skip", "blocked"}
    assert flow.planned["create"] > 0
    assert flow.planned["update"] == flow.planned["delete"] == flow.planned["skip"] == 0
    assert bool(flow.planned["adopt"]) is flow.route.shared


def test_apply_writes_what_was_planned_and_names_what_the_service_refused(flow: Flow) -> None:
    answer, refused = flow.answers["apply"], flow.refused()
    failed = {f["id"] for f in answer["failed"]}
    assert failed == refused, answer["failed"]
    assert flow.codes["apply"] == (3 if refused else 0)
    assert (answer["created"], answer["adopted"]) == (flow.planned["create"], flow.planned["adopt"])
    assert answer["updated"] == answer["deleted"] == 0


def test_verify_finds_nothing_but_what_the_service_refused(flow: Flow) -> None:
    answer, refused = flow.answers["verify"], flow.refused()
    assert {f["source_id"] for f in answer["findings"]} == refused, answer["findings"]
    assert answer["ok"] is not bool(refused)
    assert flow.codes["verify"] == (1 if refused else 0)
    assert answer["checked"] == flow.planned["create"] + flow.planned["adopt"]


def test_a_second_apply_creates_nothing(flow: Flow) -> None:
    answer = flow.answers["again"]
    assert flow.codes["again"] == flow.codes["apply"]
    assert (answer["created"], answer["updated"], answer["deleted"], answer["adopted"]) == (0, 0, 0, 0)


def test_a_second_plan_has_nothing_to_do(flow: Flow) -> None:
    actions = flow.answers["replan"]["actions"]
    assert {name for name, number in actions.items() if number} <= {"skip", "blocked"}, actions
    assert actions["skip"] > 0


def test_after_apply_only_announced_losses_differ(flow: Flow) -> None:
    told = {(row["kind"], row["id"], row["field"].split(".")[0]) for row in flow.losses}
    absent = {(r["kind"], r["id"]) for r in flow.losses if r["grade"] == "blocked" or r["field"] == "*"}
    here = flow.world.here
    surprises = [
        (change["kind"], change["left_id"], change["action"], path)
        for change in flow.answers["after"]["changes"]
        for path in change["paths"] or [change["action"]]
        if (change["kind"], change["left_id"], re.split(r"[.\[]", path)[0]) not in told
        and not (
            path.endswith("connection_id") and (change["kind"], change["left_id"], "connections") in told
        )
        and not (change["action"] == "removed" and (change["kind"], change["left_id"]) in absent)
        and not (flow.route.shared and change["right_id"] in {*here.files, *here.vector_stores})
    ]
    assert surprises == []


def test_a_file_name_that_changes_is_announced(flow: Flow) -> None:
    here, there = flow.world.here.files, flow.world.target.estate.files
    told = {row["id"] for row in flow.losses if row["field"] == "filename"}
    rows = [row for row in flow.answers["ids"] if row["kind"] == "file"]
    pairs = [(row["source_id"], row["target_id"]) for row in rows]
    changed = {one for one, other in pairs if here[one]["filename"] != there[other]["filename"]}
    assert changed <= told, [here[one]["filename"] for one in changed - told]


def test_after_apply_the_target_holds_the_same_estate(flow: Flow) -> None:
    assert flow.differences() == []


def test_the_id_map_names_every_object(flow: Flow) -> None:
    rows, db = flow.answers["ids"], flow.world.db
    assert flow.codes["ids"] == 0
    assert all(row.keys() == {"kind", "source_id", "target_id", "name"} for row in rows)
    assert len(rows) == flow.planned["create"] + flow.planned["adopt"]
    assert rows[0] in flow.world("ids", db, rows[0]["source_id"]).ok()
    assert flow.world("ids", db, "nobody").code == 1


def test_the_id_map_as_csv_and_json(flow: Flow) -> None:
    rows, db = flow.answers["ids"], flow.world.db
    table = list(csv.DictReader(io.StringIO(flow.world.plain("ids", db).out)))
    assert [row["target_id"] for row in table] == [row["target_id"] for row in rows]
    assert not [row for row in table if row["name"].startswith(("=", "+", "-", "@"))], "a formula"
    assert json.loads(flow.world.plain("ids", db, "--format", "json").out) == rows


def test_the_id_map_as_sql_gives_every_name_back(flow: Flow) -> None:
    text = flow.world.plain("ids", flow.world.db, "--format", "sql").out
    with closing(sqlite3.connect(":memory:")) as tables:
        tables.executescript(text)
        found = tables.execute("SELECT kind, source_id, target_id, name FROM id_map").fetchall()
    assert found == [tuple(row.values()) for row in flow.answers["ids"]]


def test_keys_are_in_no_file_that_is_left(flow: Flow) -> None:
    for file in Path(flow.world.folder).iterdir():
        flow.world.keeps_secrets(file.read_bytes().decode("latin-1"))
    assert (Path(flow.world.db).stat().st_mode & 0o777) == 0o600


def test_the_source_was_only_read(flow: Flow) -> None:
    assert flow.world.touched() == []
    here, now = flow.world.here, flow.world.source.estate
    assert (here.assistants, here.threads) == (now.assistants, now.threads)
    assert list(here.messages.rows()) == list(now.messages.rows())
    assert list(here.runs.rows()) == list(now.runs.rows())
    assert here.files.items() <= now.files.items()
    assert here.vector_stores.items() <= now.vector_stores.items()
    assert flow.route.shared or {request.method for request in flow.world.source.requests} == {"GET"}
    assert flow.world.target.estate.forbidden_calls == []
