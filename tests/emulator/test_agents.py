"""Agents and their versions: recorded answers, numbering, lists, names and what happens on deletion."""

from __future__ import annotations

import pytest

SERVER_MADE = ["status", "instance_identity", "blueprint", "blueprint_reference", "agent_guid"]
DEFINITION = {"kind": "prompt", "model": "gpt-4.1"}


def post(project, name="MyAgent", **body):
    return project.ok("POST", f"/agents/{name}/versions", {"definition": DEFINITION, **body})


def test_the_recorded_version(project):
    created = post(project, "MyAgent1")
    assert list(created) == [
        "metadata",
        "object",
        "id",
        "name",
        "version",
        "description",
        "created_at",
        "definition",
        *SERVER_MADE,
    ]
    assert {key: created[key] for key in list(created)[:6]} == {
        "metadata": {},
        "object": "agent.version",
        "id": "MyAgent1:1",
        "name": "MyAgent1",
        "version": "1",
        "description": "",
    }
    assert (created["definition"], created["status"]) == (DEFINITION, "active")
    assert created["blueprint_reference"]["type"] == "ManagedAgentIdentityBlueprint"
    assert created["blueprint_reference"]["blueprint_id"].startswith("MyAgent1-")
    assert created["instance_identity"].keys() == created["blueprint"].keys() == {"principal_id", "client_id"}
    assert project.ok("GET", "/agents/MyAgent1/versions/1") == created


def test_the_recorded_agent(project):
    created = post(project)
    agent = project.ok("GET", "/agents/MyAgent")
    latest = {key: value for key, value in created.items() if key != "agent_guid"}
    assert {key: agent[key] for key in ("object", "id", "name", "versions")} == {
        "object": "agent",
        "id": "MyAgent",
        "name": "MyAgent",
        "versions": {"latest": latest},
    }
    assert agent["agent_endpoint"] == {
        "version_selector": {
            "version_selection_rules": [
                {"type": "FixedRatio", "agent_version": "@latest", "traffic_percentage": 100}
            ]
        },
        "protocols": ["responses"],
        "authorization_schemes": [{"type": "Entra", "isolation_key_source": {"kind": "Entra"}}],
    }
    (row,) = project.ok("GET", "/agents")["data"]
    assert row == {key: value for key, value in agent.items() if key != "agent_endpoint"}


def test_every_version_has_the_identity_of_the_agent(project):
    first, second = project.agent(), project.agent(instructions="x")
    assert [first[key] for key in SERVER_MADE] == [second[key] for key in SERVER_MADE]
    assert project.agent("Other")["instance_identity"] != first["instance_identity"]


def test_versions_are_numbered_and_listed_newest_first(project):
    for instructions in ("a", "b", "c"):
        project.agent(instructions=instructions)
    listed = project.ok("GET", "/agents/MyAgent/versions")
    assert [row["version"] for row in listed["data"]] == ["3", "2", "1"]
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("MyAgent:3", "MyAgent:1", False)
    page = project.ok("GET", "/agents/MyAgent/versions", limit=1, order="asc", after="MyAgent:1")
    assert ([row["version"] for row in page["data"]], page["has_more"]) == (["2"], True)
    page = project.ok("GET", "/agents/MyAgent/versions", before="MyAgent:1")
    assert [row["version"] for row in page["data"]] == ["3", "2"]
    assert project.ok("GET", "/agents/MyAgent")["versions"]["latest"]["version"] == "3"


def test_the_page_after_the_last_has_no_ids(project):
    empty = {"data": [], "has_more": False, "object": "list"}
    assert project.ok("GET", "/agents") == empty
    post(project)
    assert project.ok("GET", "/agents")["last_id"] == "MyAgent"
    assert project.ok("GET", "/agents", after="MyAgent") == empty
    assert project.ok("GET", "/agents/MyAgent/versions", after="MyAgent:1") == empty


def test_agents_are_listed_by_their_latest_version(project):
    for name in ("a", "b", "c"):
        post(project, name)
    project.agent("a", instructions="newer")
    listed = project.ok("GET", "/agents")
    assert [row["name"] for row in listed["data"]] == ["a", "c", "b"]
    assert (listed["first_id"], listed["last_id"]) == ("a", "b")
    assert [row["name"] for row in project.ok("GET", "/agents", order="asc", limit=2)["data"]] == ["b", "c"]


def test_twenty_agents_on_a_page(project):
    names = [post(project, f"agent-{number}")["name"] for number in range(21)]
    listed = project.ok("GET", "/agents")
    assert [row["name"] for row in listed["data"]] == names[:0:-1]
    assert listed["has_more"] is True
    assert len(project.ok("GET", "/agents", limit=100)["data"]) == 21
    for limit in (0, 101):
        assert project.refused("GET", "/agents", limit=limit)["param"] == "/limit"


def test_agents_by_kind(launch_project):
    project = launch_project(strict_definitions=False)
    post(project, "prompted")
    project.ok("POST", "/agents/hosted/versions", {"definition": {"kind": "hosted", "image": "i"}})
    assert [row["name"] for row in project.ok("GET", "/agents", kind="hosted")["data"]] == ["hosted"]
    assert project.ok("GET", "/agents", kind="workflow")["data"] == []


# ------------------------------------------------------------------------------------ the same again


def test_an_identical_version_is_not_created_again(project):
    same = {"metadata": {"a": "b"}, "description": "d"}
    first = post(project, **same)
    assert post(project, **same) == first
    assert post(project, description="d")["version"] == "2"
    assert post(project, description="e")["version"] == "3"
    assert post(project, **same)["version"] == "4"  # only the latest is compared (assumed)
    assert len(project.ok("GET", "/agents/MyAgent/versions")["data"]) == 4


def test_order_of_keys_creates_no_version(project):
    first = post(
        project, definition={"model": "m", "kind": "prompt", "tools": [{"type": "code_interpreter"}]}
    )
    assert (
        post(project, definition={"tools": [{"type": "code_interpreter"}], "kind": "prompt", "model": "m"})
        == first
    )


def test_an_identical_version_can_be_created_again(launch_project):
    project = launch_project(identical_is_noop=False)
    assert [post(project)["version"] for _ in range(3)] == ["1", "2", "3"]


# ----------------------------------------------------------------------------------- names and limits


@pytest.mark.parametrize("name", ["a", "MyAgent1", "0-9", "a" * 63, "A--b"])
def test_names(project, name):
    assert post(project, name)["name"] == name


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "a b", "a.b", "ä", "a" * 64, "a\n"])
def test_names_that_are_refused(project, name):
    project.refused("POST", f"/agents/{name}/versions", {"definition": DEFINITION})
    assert not project.emulator.estate.agents


def test_names_keep_their_case(project):
    post(project, "Desk")
    assert project("GET", "/agents/desk")[0] == 404
    assert post(project, "desk")["version"] == "1"


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"a": 1}},
        {"metadata": {"k" * 65: "v"}},
        {"metadata": {"a": "v" * 513}},
        {"metadata": dict.fromkeys("abcdefghijklmnopq", "v")},
        {"metadata": []},
        {"description": "d" * 513},
        {"description": 1},
        {"name": "MyAgent"},
        {"draft": True},
        {"definition": None},
    ],
)
def test_bodies_that_are_refused(project, body):
    project.refused("POST", "/agents/MyAgent/versions", {"definition": DEFINITION, **body})
    project.refused("POST", "/agents/MyAgent/versions", {"metadata": {}})
    assert not project.emulator.estate.agents


def test_limits_are_reached(project):
    metadata = {f"{number:064}": "v" * 512 for number in range(15)} | {"trailing": "please "}
    created = post(project, metadata=metadata, description="d" * 512)
    assert (created["metadata"], created["description"]) == (metadata, "d" * 512)


# ------------------------------------------------------------------------------------------- deletion


def error(code, message):
    return (404, {"code": code, "message": message, "type": "error", "details": []})


def error_of(answer):
    status, body = answer
    assert body["error"].pop("additionalInfo").keys() == {"request_id"}
    return status, body["error"]


def test_missing_agents(project):
    assert error_of(project("GET", "/agents/X")) == error("not_found", "Agent X doesn't exist")
    assert error_of(project("DELETE", "/agents/X")) == error("not_found", "Agent not found")
    for method in ("GET", "DELETE"):
        missing = error("not_found", "Agent X with version 1 not found")
        assert error_of(project(method, "/agents/X/versions/1")) == missing
    assert error_of(project("GET", "/agents/X/versions")) == error("not_found", "Agent X doesn't exist")


def test_deleting_an_agent(project):
    project.agent()
    project.agent(instructions="x")
    assert project.ok("DELETE", "/agents/MyAgent") == {
        "object": "agent.deleted",
        "name": "MyAgent",
        "deleted": True,
    }
    for path in ("", "/versions", "/versions/1"):
        assert project("GET", f"/agents/MyAgent{path}")[0] == 404
    assert project.agent()["version"] == "1"


def test_deleting_versions(project):
    for instructions in ("a", "b", "c"):
        project.agent(instructions=instructions)
    assert project.ok("DELETE", "/agents/MyAgent/versions/3") == {
        "object": "agent.version.deleted",
        "name": "MyAgent",
        "version": "3",
        "deleted": True,
    }
    assert project.ok("GET", "/agents/MyAgent")["versions"]["latest"]["id"] == "MyAgent:2"
    assert project.agent(instructions="d")["version"] == "4"
    for number in (1, 2, 4):
        project.ok("DELETE", f"/agents/MyAgent/versions/{number}")
    assert project("GET", "/agents/MyAgent")[0] == 404
    assert project.emulator.estate.counts()["agent_version"] == 0
