"""The findings of a comparison lead to their objects, in the snapshot that has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from migrate.archive.database import Archive
from tests.archive.filling import Listing, write
from tests.serve.client import Client, served
from tests.serve.html_pages import parsed

ODD = "thread/../1 ?x"


def _messages(*ids: str, **metadata: str) -> list[dict[str, Any]]:
    return [
        {"id": id_, "role": "user", "created_at": 1_700_000_000, "content": f"words of {id_}",
         "metadata": metadata}
        for id_ in ids
    ]  # fmt: skip


def _estate(
    text: str, assistants: tuple[str, ...], messages: list[dict[str, Any]], status: str
) -> list[Listing]:
    return [
        ("assistant", "", [{"id": id_, "name": f"{id_}'s name", "instructions": text} for id_ in assistants]),
        ("thread", "", [{"id": ODD}]),
        ("message", ODD, messages),
        ("run", ODD, [{"id": "run_1", "assistant_id": "a", "status": status, "created_at": 1}]),
        ("vector_store", "", [{"id": "vs_1", "name": "The store"}]),
        ("vector_store_file", "vs_1", [{"id": "f1", "attributes": {"text": text}}]),
    ]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("served") / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        write(archive, _estate("one", ("a", "gone"), _messages("first", "m/removed", "m-kept"), "queued"))
        kept = [*_messages("first"), *_messages("m-kept", rated="5"), *_messages("m&added")]
        write(archive, _estate("two", ("a", "new"), kept, "completed"))
    with served(path) as client:
        for _ in range(200):
            if 'http-equiv="refresh"' not in client.page("/compare?left=1&right=2"):
                break
        yield client


def _findings(client: Client) -> dict[tuple[str, str], dict[str, Any]]:
    page = client.page("/compare?left=1&right=2")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data
    items = json.loads(data[1])["items"]
    return {(item["k"], item.get("r") or item["l"]): item for item in items}


def test_each_finding_leads_to_its_object_where_it_is(client: Client) -> None:
    found = _findings(client)
    expected = {
        ("assistant", "a"): 2,
        ("assistant", "new"): 2,
        ("assistant", "gone"): 1,
        ("message", "m&added"): 2,
        ("message", "m-kept"): 2,
        ("message", "m/removed"): 1,
        ("vector_store_file", "f1"): 2,
    }
    assert set(expected) <= set(found)
    for key, item in found.items():
        assert item["u"].startswith(f"/snapshots/{expected.get(key, 2)}/"), key
        page = client.page(item["u"].partition("#")[0])
        assert (item.get("r") or item["l"]).replace("&", "&amp;") in page
        anchor = item["u"].partition("#")[2]
        if key[0] == "message":
            assert any(client_anchor == anchor for client_anchor in _anchors(page)), (anchor, key)


def _anchors(page: str) -> list[str]:
    """The permalinks of a page lead to its messages, in the same spelling."""
    return [link.partition("#")[2] for link in parsed(page).links if "#m-" in link]


def test_what_changed_leads_to_what_it_was(client: Client) -> None:
    found = _findings(client)
    for key in (("assistant", "a"), ("message", "m-kept"), ("vector_store_file", "f1")):
        assert found[key]["b"].startswith("/snapshots/1/"), key
        client.page(found[key]["b"].partition("#")[0])
    assert "b" not in found["message", "m&added"]
    assert "b" not in found["assistant", "gone"]


def test_a_message_is_named_and_names_its_thread(client: Client) -> None:
    found = _findings(client)["message", "m/removed"]
    assert found["n"] == "2023-11-14 22:13 user: words of m/removed"
    assert found["p"] == "words of first"
    assert "words of first" in client.page(found["q"])
    assert _findings(client)["vector_store_file", "f1"]["p"] == "The store"


def test_the_list_without_a_script_has_the_same_links(client: Client) -> None:
    links = set(parsed(client.page("/compare?left=1&right=2&list=1")).links)
    for item in _findings(client).values():
        assert {item[key] for key in "uqb" if key in item} <= links


def test_the_overview_counts_members_in_words(client: Client) -> None:
    overview = client.page("/snapshots/2/")
    assert "1 new message, 1 removed, 1 changed, in 1 thread<" in overview
    assert "1 changed file in 1 vector store<" in overview
