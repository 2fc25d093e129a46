"""Deployments and connections: from options or saved answers, in pages that link to the next."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.emulator.project import KEY, Project

CONNECTION = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers"
    "/Microsoft.CognitiveServices/accounts/demo/projects/demo/connections/"
)


def names(project, path, **query):
    rows_read, page = [], project.ok("GET", path, **query)
    while True:
        rows_read += [row["name"] for row in page["value"]]
        assert len(page["value"]) <= 2
        if "nextLink" not in page:
            return rows_read
        link = urlsplit(page["nextLink"])
        assert f"{link.scheme}://{link.netloc}" == project.emulator.url.removesuffix("/api/projects/demo")
        assert parse_qs(link.query)["api-version"] == ["v1"]
        status, page = project.send("GET", f"{path}?{link.query}")
        assert status == 200
        assert page["value"], "a link that leads to nothing"


def test_deployments_by_default(project):
    assert names(project, "/deployments") == ["gpt-4.1", "gpt-4o", "gpt-4o-mini", "o4-mini"]
    first = project.ok("GET", "/deployments")["value"][0]
    assert project.ok("GET", "/deployments/gpt-4.1") == first
    assert first.keys() == {
        "type",
        "name",
        "modelName",
        "modelVersion",
        "modelPublisher",
        "capabilities",
        "sku",
    }
    assert project("GET", "/deployments/none")[0] == 404


@pytest.mark.parametrize("number", range(6))
def test_every_page_is_followed(launch_project, number):
    expected = [f"model-{place}" for place in range(number)]
    assert names(launch_project(deployments=tuple(expected)), "/deployments") == expected


def test_connections(launch_project):
    project = launch_project(connections=("bing", "search", "docs"))
    assert names(project, "/connections") == ["bing", "search", "docs"]
    row = project.ok("GET", "/connections/bing")
    assert row["id"] == f"{CONNECTION}bing"
    assert row.keys() == {"name", "id", "type", "target", "isDefault", "credentials", "metadata"}
    assert project.ok("GET", "/connections", connectionType="customkeys")["value"]
    assert project.ok("GET", "/connections", connectionType="AzureOpenAI") == {"value": []}
    assert project.ok("GET", "/connections", defaultConnection="true") == {"value": []}


def test_there_are_none_by_default(project):
    assert project.ok("GET", "/connections") == {"value": []}


def test_the_link_keeps_the_filters(launch_project):
    project = launch_project(deployments=("a", "b", "c"))
    assert names(project, "/deployments", modelPublisher="OpenAI") == ["a", "b", "c"]
    assert names(project, "/deployments", modelName="b") == ["b"]
    assert names(project, "/deployments", deploymentType="none") == []


def test_a_wrong_link(project):
    project.refused("GET", "/deployments", skip="x")
    assert project.ok("GET", "/deployments", skip="99") == {"value": []}


def test_they_can_be_read_with_a_key_and_not_written(project):
    keyed = Project(project.emulator, {"api-key": KEY})
    assert keyed.ok("GET", "/deployments")["value"]
    assert project("POST", "/deployments", {})[0] == project("DELETE", "/connections/a")[0] == 404
