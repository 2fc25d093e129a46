"""Access to a project: tokens, keys, versions, and the headers of every answer."""

from __future__ import annotations

import pytest

from tests.emulator.project import KEY, V1, Project

GATEWAY_404 = {"error": {"code": "404", "message": "Resource not found"}}
CLASSIC = ("/assistants", "/threads", "/files", "/vector_stores")
NEW = ("/agents", "/deployments", "/connections")
WITHOUT_VERSION = (f"{V1}/conversations", f"{V1}/files", f"{V1}/vector_stores")
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}])
@pytest.mark.parametrize("path", [*CLASSIC, *NEW, *WITHOUT_VERSION])
def test_a_token_is_required_everywhere(project, headers, path):
    status, body = Project(project.emulator, headers)("GET", path)
    assert (status, body["error"]["code"]) == (401, "401")
    assert project("GET", path)[0] == 200


@pytest.mark.parametrize("path", [*CLASSIC, *NEW, *WITHOUT_VERSION])
def test_a_key_is_accepted_on_routes_of_the_project_only(project, path):
    assert Project(project.emulator, {"api-key": KEY})("GET", path)[0] == (200 if path in NEW else 401)


@pytest.mark.parametrize("version", ["v1", "2025-05-01", "2025-05-15-preview"])
@pytest.mark.parametrize("path", CLASSIC)
def test_versions_of_classic_agents(project, path, version):
    assert project.send("GET", f"{path}?api-version={version}")[0] == 200


@pytest.mark.parametrize("query", ["", "?api-version=2025-03-01-preview", "?api-version=V1"])
@pytest.mark.parametrize("path", [*CLASSIC, *NEW])
def test_any_other_version_is_refused_by_the_gateway(project, path, query):
    status, body = project.send("GET", path + query)
    assert (status, list(body["error"])) == (400, ["code", "message"])


def test_agents_accept_one_version(project):
    assert project.send("GET", "/agents?api-version=2025-05-15-preview")[0] == 400


@pytest.mark.parametrize("path", WITHOUT_VERSION)
def test_a_version_on_a_v1_path_is_refused(project, path):
    status, body = project.send("GET", f"{path}?api-version=v1")
    assert (status, list(body["error"])) == (400, ["code", "message"])


def test_no_beta_header_is_needed(project):
    assert project("GET", f"{V1}/vector_stores")[0] == project("GET", "/assistants")[0] == 200


def test_retired_classic_agents_are_gone_and_new_ones_remain(launch_project):
    project = launch_project(retired=True)
    for path in (*CLASSIC, "/threads/thread_x/messages", "/vector_stores/vs_x/files"):
        assert project("GET", path) == (404, GATEWAY_404)
        assert project("POST", path, {}) == (404, GATEWAY_404)
    for path in (*NEW, *WITHOUT_VERSION):
        assert project("GET", path)[0] == 200
    project.agent()
    project.conversation("x")
    project.file()


@pytest.mark.parametrize(
    "path", ["/nowhere", "/agents/a/nowhere", f"{V1}/assistants", f"{V1}/nowhere", f"{V1}/threads"]
)
def test_unknown_routes(project, path):
    assert project("GET", path) == (404, GATEWAY_404)


@pytest.mark.parametrize("path", ["/agents", f"{V1}/conversations"])
def test_supported_versions_are_shown(project, path):
    project.ok("GET", path)
    assert project.answered["api-supported-versions"] == "1.0,2025-05-15-preview,2025-11-15-preview"
    assert project.answered["x-request-id"]
    project.ok("GET", f"{V1}/files")
    assert "api-supported-versions" not in project.answered


def test_a_missing_object_has_its_request_id_twice_and_a_wrong_body_once(project):
    _, body = project("GET", "/agents/none")
    assert body["error"]["additionalInfo"]["request_id"] == project.answered["x-request-id"]
    assert "api-supported-versions" in project.answered
    error = project.refused("POST", f"{V1}/conversations", {"items": {}})
    assert len(error["additionalInfo"]["request_id"]) == 32
    assert not {"x-request-id", "api-supported-versions"} & project.answered.keys()


@pytest.mark.parametrize("path", [f"{V1}/responses", "/threads/runs", "/threads/thread_x/runs"])
def test_calls_that_run_a_model_are_refused_and_recorded(project, path):
    status, body = project("POST", path, {})
    assert (status, body["error"]["code"]) == (400, "runs_not_emulated")
    assert project.emulator.estate.forbidden_calls == [f"POST /api/projects/demo{path}"]


def test_both_generations_share_files_and_stores(project):
    new, classic = project.file("a.txt"), project.file("b.txt", at="")
    assert {row["id"] for row in project.ok("GET", "/files")["data"]} == {new, classic}
    assert {row["id"] for row in project.ok("GET", f"{V1}/files")["data"]} == {new, classic}
    store = project.ok("POST", "/vector_stores", {"file_ids": [new, classic]})["id"]
    assert project.ok("GET", f"{V1}/vector_stores/{store}")["file_counts"]["total"] == 2
    project.ok("DELETE", f"{V1}/files/{classic}")
    assert [row["id"] for row in project.ok("GET", f"/vector_stores/{store}/files")["data"]] == [new]
