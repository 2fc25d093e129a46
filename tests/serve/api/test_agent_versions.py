"""The versions of agents: those in any snapshot, and a clear error for others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from migrate.model.masked_values import MASK
from tests.serve.api.archives import Made, MadeSnapshot, make_archive
from tests.serve.api.serving import ServedApi, serving_api

URL = "https://acme.services.ai.azure.com/api/projects/shop"
AGENTS = "/api/projects/shop/agents"
V1 = "api-version=v1"


def version(name: str, number: int, **more: Any) -> dict[str, Any]:
    tools = [{"type": "mcp", "headers": {"k": f"secret-{number}"}}]
    definition = {"kind": "prompt" if number < 9 else "hosted", "tools": tools, **more}
    return {"object": "agent.version", "id": f"{name}:{number}", "name": name, "version": str(number),
            "definition": definition}  # fmt: skip


def agent(name: str, latest: int, *older: int, **more: Any) -> dict[str, Any]:
    versions = {"latest": version(name, latest), **{str(n): version(name, n) for n in older}}
    return {"object": "agent", "id": name, "name": name, "versions": versions, **more}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    def snapshot(*agents: dict[str, Any], url: str = URL) -> MadeSnapshot:
        return MadeSnapshot([Made("assistant", "", agents)], "foundry", url, "v1")

    path = make_archive(
        tmp_path_factory.mktemp("versions") / "a.db",
        snapshot(agent("desk", 1), agent("gaps", 2)),
        snapshot(agent("desk", 2), agent("gaps", 2)),
        snapshot(agent("gaps", 1), url=f"{URL}-2"),
        snapshot(
            agent("desk", 3), agent("gaps", 5, 3, agent_endpoint={"a": 1}), agent("one", 1), agent("nine", 9)
        ),
    )
    with serving_api(path) as served:
        yield served


def test_all_versions_of_all_readings(api: ServedApi) -> None:
    assert api.ok(f"{AGENTS}/desk/versions?{V1}").ids == ["desk:3", "desk:2", "desk:1"]
    first = api.ok(f"{AGENTS}/desk/versions?{V1}&limit=2&order=asc").json
    assert (first["first_id"], first["last_id"], first["has_more"]) == ("desk:1", "desk:2", True)
    after = api.ok(f"{AGENTS}/desk/versions?{V1}&limit=2&order=asc&after=desk%3A2").json
    assert (after["first_id"], after["has_more"]) == ("desk:3", False)
    empty = api.ok(f"{AGENTS}/desk/versions?{V1}&after=desk%3A1").json
    assert empty == {"data": [], "has_more": False, "object": "list"}
    assert api.refused(f"{AGENTS}/desk/versions?{V1}&after=desk", 400).json["error"]["param"] == "/after"
    assert api.ok(f"{AGENTS}/one/versions?{V1}").ids == ["one:1"]


def test_versions_that_no_reading_saw(api: ServedApi) -> None:
    refused = api.refused(f"{AGENTS}/gaps/versions?{V1}", 424)
    assert "2 of 5 versions" in refused.message
    part = api.ok(f"{AGENTS}/gaps/versions?{V1}", x_archive_partial="allow")
    assert part.ids == ["gaps:5", "gaps:3", "gaps:2"]
    assert "2 of 5 versions" in part.headers["x-archive-incomplete"]
    assert "may exist" in api.refused(f"{AGENTS}/gaps/versions/1?{V1}", 424).message
    for number in ("6", "0", "03", "latest", "-1", "\u0663", "9" * 12):
        assert "not found" in api.refused(f"{AGENTS}/gaps/versions/{quote(number)}?{V1}", 404).message
    assert api.refused(f"{AGENTS}/nobody/versions?{V1}", 404).message == "Agent nobody doesn't exist"


def test_a_version_and_an_agent_as_the_service_shows_them(api: ServedApi) -> None:
    shown = api.ok(f"{AGENTS}/gaps/versions/3?{V1}").json
    assert shown["definition"]["tools"] == [{"type": "mcp", "headers": {"k": MASK}}]
    assert b"secret-" not in api.ok(f"{AGENTS}/desk/versions?{V1}").body
    gaps = api.ok(f"{AGENTS}/gaps?{V1}").json
    assert list(gaps["versions"]) == ["latest"]
    assert gaps["agent_endpoint"] == {"a": 1}
    assert api.ok(f"{AGENTS}?{V1}&kind=hosted").ids == ["nine"]
    assert api.ok(f"{AGENTS}?{V1}&kind=prompt&order=asc").ids == ["desk", "gaps", "one"]


def test_an_earlier_snapshot_does_not_know_what_came_later(tmp_path: Path) -> None:
    made = [MadeSnapshot([Made("assistant", "", [agent("desk", n)])], "foundry", URL, "v1") for n in (1, 2)]
    with serving_api(make_archive(tmp_path / "a.db", *made), snapshot=1) as api:
        assert api.ok(f"{AGENTS}/desk/versions?{V1}").ids == ["desk:1"]
        api.refused(f"{AGENTS}/desk/versions/2?{V1}", 404)
