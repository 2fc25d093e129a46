"""The real SDKs read a whole estate from the service and from its archive, and get the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from azure.ai.agents import AgentsClient
from azure.ai.projects import AIProjectClient

from migrate.model.masked_values import MASK
from tests.serve.api.conftest import MESSAGES, Sides
from tests.serve.api.readings import (
    AllowHttp,
    Reading,
    StaticToken,
    azure_client,
    openai_client,
    read_with_agents_client,
    read_with_openai,
    read_with_projects_client,
)
from tests.serve.api.serving import KEY

PROJECT = "/api/projects/demo"
POLICIES: dict[str, Any] = {"per_call_policies": [AllowHttp()], "retry_total": 0}


def read_azure(url: str) -> Reading:
    with azure_client(url, KEY, "2025-03-01-preview") as client:
        return read_with_openai(client)


def read_azure_undated(url: str) -> Reading:
    with openai_client(f"{url}/openai/v1", KEY) as client:
        return read_with_openai(client, assistants=False)


def read_openai(url: str) -> Reading:
    with openai_client(f"{url.removesuffix('/v1')}/v1", KEY) as client:
        return read_with_openai(client)


def read_classic(url: str) -> Reading:
    endpoint = f"{url.removesuffix(PROJECT)}{PROJECT}"
    with closing(AgentsClient(endpoint, StaticToken(KEY), **POLICIES)) as client:
        return read_with_agents_client(client)


def read_project(url: str) -> Reading:
    endpoint = f"{url.removesuffix(PROJECT)}{PROJECT}"
    with closing(AIProjectClient(endpoint, StaticToken(KEY), **POLICIES)) as client:
        return read_with_projects_client(client)


def with_masks(live: Any, archived: Any) -> Any:
    """What a service shows, with a mask where the archive has one."""
    if archived == MASK:
        return MASK
    if isinstance(live, dict) and isinstance(archived, dict):
        return {key: with_masks(value, archived.get(key)) for key, value in live.items()}
    if isinstance(live, list) and isinstance(archived, list) and len(live) == len(archived):
        return [with_masks(*pair) for pair in zip(live, archived, strict=True)]
    return live


@pytest.mark.parametrize(
    ("type_", "read", "prefix"),
    [
        ("azure-openai", read_azure, ""),
        ("azure-openai", read_azure_undated, ""),
        ("openai", read_openai, ""),
        ("foundry-classic", read_classic, "/estates/3"),
        ("foundry", read_project, "/estates/4"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_sdk_reads_the_same(
    sides: Sides, type_: str, read: Callable[[str], Reading], prefix: str
) -> None:
    live, archived = read(sides.services[type_].url), read(sides.served.url + prefix)
    assert live.keys() == archived.keys()
    different = [call for call, found in archived.items() if found != with_masks(live[call], found)]
    assert different == []
    assert len(live) > 20
    long = [
        pages for call, pages in live.items() if call.startswith("messages ('thread_long',) {'order': 'asc'")
    ]
    assert not long or sum(len(p["data"] if isinstance(p, dict) else p) for p in long[0]) == MESSAGES
