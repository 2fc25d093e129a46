"""Requests recorded from real projects, sent to the emulator: same status, keys and stable values."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.project import V1

SHARED = Path(os.environ.get("ASSISTANTS_MIGRATE_SHARED", Path(__file__).parents[3] / "shared"))
REAL = SHARED / "real"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the recordings are not beside this checkout")

# Values that the service generates, and keys that only newer answers have (recorded 2025-11 to 2026-07).
MADE_UP = re.compile(
    r"^(id|created_at|first_id|last_id|request_id|.*_guid|principal_id|client_id|blueprint_id)$"
)
LATER = {"status", "instance_identity", "blueprint", "blueprint_reference", "agent_guid"}


def recording(name: str) -> list[dict[str, Any]]:
    document = json.loads((REAL / name).read_text(encoding="utf-8"))
    return document if isinstance(document, list) else [document]


def lasting(answer: Any, older: bool = False) -> Any:
    """An answer without values that differ every time; `older`: also without the keys of newer answers."""
    if isinstance(answer, list):
        return [lasting(each, older) for each in answer]
    if not isinstance(answer, dict):
        return answer
    dropped = LATER if older and answer.get("object") == "agent.version" else set()
    return {
        key: "created up" if MADE_UP.match(key) and value is not None else lasting(value, older)
        for key, value in answer.items()
        if key not in dropped
    }


VERSIONS = [
    "agent_create_version_min",
    "agent_create_apr2026",
    "agent_create_jul2026_identity",
    "agent_ai_search_topk_filter",
    "agent_browser_automation_jun2026",
    "agent_code_interpreter_empty_files",
    "agent_file_search_jun2026",
    "agent_create_400_mcp_template",
]


@pytest.mark.parametrize("name", VERSIONS)
def test_versions(project, name):
    for exchange in recording(f"{name}.json"):
        path = exchange["path"].split("?")[0].split("/P")[1]
        status, answer = project("POST", path, exchange["request_body"])
        older = "agent_guid" not in exchange["response_body"]
        assert status == exchange["status"]
        assert lasting(answer, older) == lasting(exchange["response_body"], older)


def test_a_run_of_agents(project):
    for exchange in recording("foundry_agents_crud.json"):
        target = exchange["uri"].removeprefix("/api/projects/P")
        body = json.dumps(exchange["request_body"]).encode() if "request_body" in exchange else None
        status, answer = project.send(exchange["method"], target, body)
        assert status == exchange["status"]
        answer.pop("agent_endpoint", None)
        identity = {key: answer.pop(key, None) for key in LATER} if answer["object"] == "agent" else {}
        assert None not in [identity[key] for key in identity.keys() - {"status", "agent_guid"}]
        assert lasting(answer, older=True) == lasting(exchange["response_body"], older=True)


def test_a_run_of_items(project):
    ids: dict[str, str] = {}
    for exchange in recording("foundry_conversation_items_crud.json"):
        path = exchange["uri"].removeprefix("/api/projects/P/openai")
        for known, ours in ids.items():
            path = path.replace(known, ours)
        status, answer = project(exchange["method"], V1 + path, exchange.get("request_body"))
        assert status == exchange["status"]
        assert lasting(answer) == lasting(exchange["response_body"])
        for theirs, ours in zip(_ids(exchange["response_body"]), _ids(answer), strict=True):
            ids.setdefault(theirs, ours)


def _ids(answer: dict[str, Any]) -> list[str]:
    return [row["id"] for row in answer.get("data", [answer])]


def test_mixed_items(project):
    (created,) = recording("conv_create_mixed_items.json")
    status, answer = project("POST", f"{V1}/conversations", created["request_body"])
    assert (status, lasting(answer)) == (created["status"], lasting(created["response_body"]))
    for name in ("list_asc", "list_default_desc", "list_type_filter"):
        (listed,) = recording(f"conv_items_{name}.json")
        query = listed["path"].partition("?")[2]
        path = f"{V1}/conversations/{answer['id']}/items"
        status, items = project.send("GET", f"{path}?{query}")
        assert (status, lasting(items)) == (200, lasting(listed["response_body"]))


def test_more_than_twenty(project):
    (exchange,) = recording("conv_items_400_over20.json")
    path = f"{V1}/conversations/{project.conversation()}/items"
    status, answer = project("POST", path, exchange["request_body"])
    assert (status, lasting(answer)) == (400, lasting(exchange["response_body"]))
    for half in (slice(20), slice(20, None)):
        project.ok("POST", path, {"items": exchange["request_body"]["items"][half]})


@pytest.mark.parametrize("name", ["agent_get_404", "agent_delete_missing_404", "agent_version_get_404"])
def test_missing_objects(project, name):
    (exchange,) = recording(f"{name}.json")
    status, answer = project(exchange["method"], exchange["path"].split("?")[0].split("/P")[1])
    assert (status, lasting(answer)) == (404, lasting(exchange["response_body"]))


def test_a_table_for_search(project):
    (exchange,) = recording("vs_file_400_csv.json")
    store = project.ok("POST", f"{V1}/vector_stores", recording("vs_create.json")[0]["request_body"])
    assert lasting(store) == lasting(recording("vs_create.json")[0]["response_body"]) | {
        "last_active_at": store["last_active_at"]
    }
    body = {"file_id": project.file("a.csv")}
    answered = project("POST", f"{V1}/vector_stores/{store['id']}/files", body)
    assert answered == (400, exchange["response_body"])
