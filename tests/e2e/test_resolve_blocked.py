"""What was blocked is resolved by what the plan advised, or accepted, or left."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import agent, latest, moved, project, store, to_agents
from tests.e2e.running import options
from tests.e2e.test_bad_foundry import ASSISTANTS


@pytest.mark.parametrize("how", ["option", "config"])
def test_a_mapping_settles_deployments_and_connections(launch: Launch, how: str) -> None:
    rows = [ASSISTANTS["deployment"], ASSISTANTS["connection"]]
    made = to_agents(launch, *rows)
    made.snapshot()
    assert made("plan", made.db, "target", "-o", made.plan).ok(1)["actions"]["blocked"] == 2
    if how == "config":
        made.configure(models={"gpt-4-32k": "gpt-4.1"}, connections={"gone": "web-search"})
        plan = made("plan", made.db, "target", "-o", made.plan)
    else:
        settled = ("--models", "gpt-4-32k=gpt-4.1", "--connections", "gone=web-search")
        plan = made("plan", made.db, "target", "-o", made.plan, *settled)
    assert plan.ok(0)["actions"]["blocked"] == 0
    assert made.apply().ok()["created"] == 2
    assert latest(made.target, "deployment")["definition"]["model"] == "gpt-4.1"
    (tool,) = latest(made.target, "connection")["definition"]["tools"]
    (row,) = tool["bing_grounding"]["search_configurations"]
    assert row["project_connection_id"].rpartition("/")[2] == "web-search"
    assert made("verify", made.plan).ok()["ok"] is True


def test_a_mapping_to_what_is_not_there_settles_nothing(launch: Launch) -> None:
    made = to_agents(launch, ASSISTANTS["deployment"], ASSISTANTS["connection"])
    made.snapshot()
    settled = ("--models", "gpt-4-32k=gpt-9", "--connections", "gone=nowhere")
    plan = made("plan", made.db, "target", "-o", made.plan, *settled).ok(1)
    assert plan["actions"]["blocked"] == 2
    reasons = " ".join(row["reason"] for row in plan["losses"] if row["grade"] == "blocked")
    assert "gpt-9" in reasons
    assert "nowhere" in reasons


def test_what_is_blocked_and_accepted_is_no_failure(launch: Launch) -> None:
    made = to_agents(launch, ASSISTANTS["deployment"], ASSISTANTS["fine"])
    assert moved(made) | {"notes": []} == {
        **dict.fromkeys(("updated", "deleted", "adopted", "skipped"), 0),
        "created": 1,
        "failed": [],
        "notes": [],
        "changes": [],
        "done": [],
        "left": [],
        "losses": [],
        "lost_citations": 0,
        "outage": None,
    }
    assert list(made.target.estate.agents) == ["fine"]


def test_a_workflow_is_blocked(launch: Launch) -> None:
    made = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    agent(made.source, "worker")
    definition = agent(made.source, "flow")["versions"]["latest"]["definition"]
    definition.clear()
    definition |= {"kind": "workflow", "workflow": "kind: workflow\n"}
    made.snapshot()
    plan = made("plan", made.db, "target", "-o", made.plan).ok(1)
    (row,) = [r for r in plan["losses"] if r["grade"] == "blocked"]
    assert (row["kind"], row["id"], row["name"], row["field"]) == ("assistant", "flow", "flow", "definition")
    assert "workflow" in row["reason"]
    assert row["way_out"]
    answer = made.apply().ok(3)
    assert [failure["id"] for failure in answer["failed"]] == ["flow"]
    assert list(made.target.estate.agents) == ["worker"]


@pytest.mark.slow
def test_a_store_of_too_many_files_is_named_file_by_file(launch: Launch) -> None:
    made = to_agents(launch, ASSISTANTS["fine"])
    store(made.source, 1, "everything", (f"assistant-{n:022}" for n in range(10_002)))
    made.snapshot("--no-bytes")
    plan = made("plan", made.db, "target", "-o", made.plan).ok(1)
    beyond = [r for r in plan["losses"] if r["grade"] == "blocked" and "beyond 10,000" in r["reason"]]
    assert [r["id"] for r in beyond] == [f"assistant-{n:022}" for n in (10_000, 10_001)]
    assert made.writes() == []


@pytest.mark.parametrize("type_", ["azure-openai", "openai", "foundry-classic"])
def test_a_schema_that_is_strict_by_default_stays_so(launch: Launch, type_: str) -> None:
    """In the newer generation a schema is strict by default, in the older one it is not."""
    service = "foundry" if type_ == "foundry-classic" else type_
    target = options("TARGET_KEY", service=service, list_threads="works", downloads=True)
    made = launch(project("SOURCE_KEY"), target, types=("foundry", type_))
    schema = {"type": "object", "properties": {}}
    agent(made.source, "desk", text={"format": {"type": "json_schema", "name": "n", "schema": schema}})
    made.snapshot()
    plan = made.planned()
    made.apply().ok()
    (row,) = made.target.estate.assistants.values()
    told = [loss for loss in plan["losses"] if loss["field"].startswith("response_format")]
    assert row["response_format"]["json_schema"].get("strict") is True or told


@pytest.mark.parametrize("type_", ["azure-openai", "openai", "foundry-classic"])
def test_a_ranker_goes_by_its_older_name(launch: Launch, type_: str) -> None:
    service = "foundry" if type_ == "foundry-classic" else type_
    target = options("TARGET_KEY", service=service, list_threads="works", downloads=True)
    made = launch(project("SOURCE_KEY"), target, types=("foundry", type_))
    ranking = {"ranker": "default-2024-11-15", "score_threshold": 0.3}
    search = {"type": "file_search", "vector_store_ids": [store(made.source, 1, "papers", [])]}
    agent(made.source, "desk", tools=[{**search, "ranking_options": ranking}])
    moved(made)
    (row,) = made.target.estate.assistants.values()
    written = row["tools"][0]["file_search"]["ranking_options"]
    assert written["score_threshold"] == 0.3
    assert written.get("ranker", "auto") in ("auto", "default_2024_08_21")
