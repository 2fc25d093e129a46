"""Faults of a service that refuses bodies which its description allows."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.emulator.test_faults import ASSISTANTS, KEY, PREFIX, THREADS, FaultyService, Start
from tests.emulator.test_faults import start as start


@pytest.mark.parametrize("service", ["azure-openai", "openai"])
def test_a_null_is_refused_everywhere(start: Start, service: str) -> None:
    faulty = start({"what": "refuse-nulls", "method": "POST"}, service=service)
    for body in ({"model": "m", "name": None}, {"model": "m", "metadata": {"a": None}}, {"tools": [None]}):
        status, answer = faulty("POST", ASSISTANTS, body)
        assert (status, "null is not accepted" in str(answer)) == (400, True)
    assert faulty("POST", ASSISTANTS, {"model": "m", "name": "n"})[0] == 200
    assert faulty.raw("POST", THREADS)[0] == 200
    assert faulty("GET", ASSISTANTS)[0] == 200


def test_items_in_unseen_forms_are_refused(start: Start) -> None:
    faulty = start({"what": "refuse-unseen-forms"}, service="foundry")
    spoken = {"type": "message", "role": "user", "content": "x"}
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    odd = (
        {**spoken, "phase": "commentary"},
        {**spoken, "content": [image]},
        {**output, "output": [{"type": "input_text", "text": "x"}]},
        {**output, "namespace": "n"},
        cited(faulty),
    )
    assert [posted(faulty, item) for item in odd] == [400] * len(odd)
    assert [posted(faulty, item) for item in (spoken, output)] == [200, 200]


def posted(faulty: FaultyService, item: Any) -> int:
    """The status of the request that creates a conversation with an item."""
    connection = http.client.HTTPConnection(urlsplit(faulty.emulator.url).netloc)
    headers = {"authorization": f"Bearer {KEY}"}
    path = f"{PREFIX['foundry']}/openai/v1/conversations"
    connection.request("POST", path, json.dumps({"items": [item]}), headers)
    status = connection.getresponse().status
    connection.close()
    return status


def cited(faulty: FaultyService) -> dict[str, Any]:
    """An answer that cites a file of the project."""
    file_id = "assistant-0000000000000000000001"
    faulty.emulator.estate.files[file_id] = {"id": file_id, "object": "file", "filename": "a.txt"}
    citation = {"type": "file_citation", "file_id": file_id, "filename": "a.txt", "index": 3}
    part = {"type": "output_text", "text": "It says so.", "annotations": [citation]}
    return {"type": "message", "role": "assistant", "content": [part]}


def annotations(faulty: FaultyService) -> list[Any]:
    """The annotations of every stored item."""
    items = [row for table in faulty.emulator.estate.items.values() for row in table.values()]
    return [part["annotations"] for item in items for part in item["content"]]


def test_citations_are_stored_without_a_fault(start: Start) -> None:
    faulty = start({"what": "slow", "path": "/nowhere"}, service="foundry")
    item = cited(faulty)
    assert posted(faulty, item) == 200
    assert annotations(faulty) == [item["content"][0]["annotations"]]


def test_citations_are_refused(start: Start) -> None:
    faulty = start({"what": "refuse-citations"}, service="foundry")
    item = cited(faulty)
    assert posted(faulty, item) == 400
    item["content"][0]["annotations"] = []
    assert posted(faulty, item) == 200
    assert annotations(faulty) == [[]]


def test_citations_are_dropped_without_a_word(start: Start) -> None:
    faulty = start({"what": "drop-citations"}, service="foundry")
    assert posted(faulty, cited(faulty)) == 200
    assert annotations(faulty) == [[]]


def test_an_agent_serves_one_version_whatever_is_newest(start: Start) -> None:
    faulty = start(
        {"what": "pinned", "path": "*/agents/*", "method": "GET", "version": "3"}, service="foundry"
    )
    body = {"definition": {"kind": "prompt", "model": "gpt-4o"}}
    assert faulty("POST", "/agents/clerk/versions", body)[0] == 200
    shown = faulty("GET", "/agents/clerk")[1]
    (rule,) = shown["agent_endpoint"]["version_selector"]["version_selection_rules"]
    assert rule["agent_version"] == "3"
    assert shown["agent_endpoint"]["protocols"] == ["responses"]
    assert shown["versions"]["latest"]["version"] == "1"
