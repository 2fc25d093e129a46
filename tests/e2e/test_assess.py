"""`assess` reports on a move before it is planned: offline for a type of service, or live for a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from migrate.emulator import Options
from tests.e2e.bundled_flows import ROUTES, Route
from tests.e2e.conftest import Launch
from tests.e2e.projects import assistant, project, to_agents
from tests.e2e.running import World, options, world

Json = dict[str, Any]
GRADES = ("kept", "adapted", "lost", "blocked")
TYPES = ("azure-openai", "openai", "foundry-classic", "foundry")
STATES = {"azure-v2": "azure-openai", "openai-v2": "openai", "foundry-classic": "foundry-classic"}
STATES["foundry"] = "foundry"


@pytest.fixture(scope="module", params=STATES)
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bundled estate in an archive, and an empty project."""
    route = Route(request.param, STATES[request.param], "foundry")
    with world(tmp_path_factory.mktemp("assess"), *route.ends(), types=(route.source, "foundry")) as made:
        made("snapshot", "source", "-o", made.db)
        yield made


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("type_", TYPES)
def test_every_type_can_be_asked_about_without_a_service(read: World, type_: str) -> None:
    asked = len(read.source.requests), len(read.target.requests)
    said = read("assess", read.db, "--to", type_)
    assert said.code in (0, 1), said.err
    answer = said.json
    assert (len(read.source.requests), len(read.target.requests)) == asked
    _adds_up(answer)
    unaccepted = [row for row in answer["losses"] if row["grade"] in ("lost", "blocked")]
    assert said.code == (1 if unaccepted else 0)


def _adds_up(answer: Json) -> None:
    """Check that totals are the sums over kinds, and that every field that is not copied is a loss with a
    reason."""
    assert answer["totals"].keys() == set(GRADES)
    for grade in GRADES:
        assert answer["totals"][grade] == sum(kind[grade] for kind in answer["kinds"].values())
    assert answer["totals"]["kept"] > 0
    counted = [sum(1 for row in answer["losses"] if row["grade"] == grade) for grade in GRADES[1:]]
    assert counted == [answer["totals"][grade] for grade in GRADES[1:]]
    assert [row for row in answer["rows"] if row["grade"] != "kept"] == answer["losses"]
    assert all(row["reason"] and row["field"] and row["kind"] and row["id"] for row in answer["losses"])


def test_every_object_has_its_lines(read: World) -> None:
    answer = read("assess", read.db, "--to", "foundry").json
    seen = {(row["kind"], row["id"]) for row in answer["rows"]}
    for kind in ("assistant", "file"):
        for row in read("ls", read.db, "--kind", kind).ok():
            assert (kind, row["id"]) in seen, row


def test_a_live_target_is_only_read(read: World) -> None:
    asked = len(read.target.requests)
    said = read("assess", read.db, "--to", "target")
    lost = [row for row in said.json["losses"] if row["grade"] != "adapted" and not row["accepted"]]
    assert said.code == (1 if lost else 0)
    _adds_up(said.json)
    assert len(read.target.requests) > asked
    assert read.writes() == []


def test_a_live_source_is_only_read(read: World) -> None:
    asked = len(read.source.requests)
    _adds_up(read("assess", "source", "--to", "foundry").json)
    assert len(read.source.requests) > asked
    assert read.touched() == []


@pytest.mark.exhaustive(2)
def test_it_reports_what_the_plan_reports(read: World) -> None:
    answer = read("assess", read.db, "--to", "target").json
    plan = read("plan", read.db, "target", "-o", read.plan).json
    assert answer["losses"] == plan["losses"]


def test_accepted_losses_are_no_failure(read: World) -> None:
    said = read("assess", read.db, "--to", "target", "--accept-loss", "all")
    assert said.code == 0
    lost = [row for row in said.json["losses"] if row["grade"] in ("lost", "blocked")]
    without = read("assess", read.db, "--to", "target").json["losses"]
    assert lost == [{**row, "accepted": True} for row in without if row["grade"] in ("lost", "blocked")]
    # The bundled estate of OpenAI loses nothing: its citations are moved.
    assert bool(lost) == (read.source.options.service != "openai")


def test_it_prints_a_text_as_well(read: World) -> None:
    out = read.plain("assess", read.db, "--to", "foundry").out
    for grade in GRADES:
        assert grade in out


# --------------------------------------------------------------------------------------- deployments


def target(**others: Any) -> Options:
    return project("TARGET_KEY", **others)


def test_only_a_live_target_shows_what_it_lacks(launch: Launch) -> None:
    made = to_agents(launch, assistant(1, "desk", model="gpt-4-32k"), target=target(deployments=("gpt-4.1",)))
    made.snapshot()
    offline = made("assess", made.db, "--to", "foundry").ok(0)
    assert offline["totals"]["blocked"] == 0
    live = made("assess", made.db, "--to", "target").ok(1)
    (row,) = [row for row in live["losses"] if row["grade"] == "blocked"]
    assert (row["name"], row["field"]) == ("desk", "model")
    settled = made("assess", made.db, "--to", "target", "--models", "gpt-4-32k=gpt-4.1").ok(0)
    assert settled["totals"]["blocked"] == 0


def test_an_estate_without_a_loss_ends_with_0(launch: Launch) -> None:
    made = to_agents(launch, assistant(1, "desk", instructions="Be kind."))
    made.snapshot()
    answer = made("assess", made.db, "--to", "target").ok(0)
    assert (answer["totals"]["lost"], answer["totals"]["blocked"]) == (0, 0)
    kept = {row["field"] for row in answer["rows"] if (row["grade"], row["name"]) == ("kept", "desk")}
    assert kept >= {"name", "model", "instructions"}


def test_accepting_one_field_accepts_no_other(launch: Launch) -> None:
    rows = assistant(1, "desk", tools=[{"type": "file_search"}], description="d" * 600)
    made = to_agents(launch, rows)
    made.snapshot()
    made("assess", made.db, "--to", "foundry", "--accept-loss", "tools").ok(1)
    made("assess", made.db, "--to", "foundry", "--accept-loss", "tools", "--accept-loss", "description").ok(0)


def test_nobody_knows_such_a_type(launch: Launch) -> None:
    made = launch(options("SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True))
    made.snapshot()
    made("assess", made.db, "--to", "bedrock").error(2, "bedrock")
    made("assess", "nowhere", "--to", "foundry").error(2, "nowhere")


def test_routes_and_states_are_the_same(read: World) -> None:
    """Every bundled estate that a flow moves is assessed here."""
    assert {route.state for route in ROUTES.values()} == set(STATES)
