"""Our requests, and the emulator's answers, checked against descriptions and recordings of the services."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from migrate.emulator import Request
from tests.e2e.api_descriptions import REAL, SHARED, SPECS, Json, operation, resolved, unknown_keys
from tests.e2e.running import World, options, world

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(),
    reason=f"no API descriptions here; ASSISTANTS_MIGRATE_SHARED names their folder ({SHARED})",
)
# service, API version, prefix of its paths, descriptions: the later ones have what the first leaves out
FLOWS = {
    "azure 2025-03": ("azure-v2", "azure-openai", "2025-03-01-preview", "/openai",
                      ("azure-openai-2025-03-01-preview.json", "azure-openai-v1.json")),
    "azure 2024-05": ("azure-v2", "azure-openai", "2024-05-01-preview", "/openai",
                      ("azure-openai-2024-05-01-preview.yaml", "azure-openai-v1.json")),
    "openai": ("openai-v2", "openai", "", "/v1", ("openai-2026-08-21.json",)),
}  # fmt: skip
KNOWN = re.compile(
    r"GET /files: parameter (limit|order)"  # Azure's descriptions leave paging of files out
    r"|/assistants.*(function\.strict|ranking_options)"  # as OpenAI has them; no description for Azure
    r"|/assistants.*'opening_hours'"  # a function without parameters: described as required, recorded without
)
# Keys that Azure accepts, but that its description of 2024-05 does not have yet.
LATER = re.compile(r"/assistants.*(key \.tools\[\d\]\.file_search|response_format.*json_schema)")
# `GET /threads` works on Azure although no description has it. The stored part of OpenAI's description has
# assistants, threads, files and stores; `GET /models` is in its SDK.
UNDESCRIBED = {("GET", "/threads"), ("GET", "/models")}


def complaints(documents: tuple[str, ...], prefix: str, request: Request) -> Iterator[str]:
    path = request.path.removeprefix(prefix)
    said = f"{request.method} {path}"
    found = operation(documents, request.method, path)
    if found is None:
        if (request.method, path) not in UNDESCRIBED:
            yield f"{said}: no description has it"
        return
    document, described_ = found
    known = {resolved(document, p)["name"].removesuffix("[]") for p in described_.get("parameters", [])}
    for name in request.query.keys() - {"api-version"}:
        if name.removesuffix("[]") not in known:
            yield f"{said}: parameter {name} is not described"
    if not request.body:
        return
    content = resolved(document, described_["requestBody"])["content"]["application/json"]
    body = json.loads(request.body)
    for key in unknown_keys(document, [content["schema"]], body):
        yield f"{said}: key {key} is not described"
    schema = {**content["schema"], "components": document["components"]}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(body):
        if "content" not in map(
            str, (*error.absolute_path, *(p for c in error.context or () for p in c.path))
        ):
            yield f"{said}: {error.json_path}: {error.message[:200]}"


@pytest.fixture(scope="module", params=FLOWS)
def flow(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Any]]:
    state, service, version, prefix, documents = FLOWS[request.param]
    source = options("SOURCE_KEY", state, service, list_threads="works", downloads=True)
    target = options("TARGET_KEY", service=service, list_threads="works", downloads=True)
    versions = {"source_version": version, "target_version": version} if version else {}
    with world(tmp_path_factory.mktemp("contract"), source, target, **versions) as made:
        made.snapshot()
        made.planned()
        assert made.apply().code in (0, 3)
        assert made("verify", made.plan).code in (0, 1)
        next(iter(made.source.estate.assistants.values()))["instructions"] = "Changed."
        made.snapshot()
        made.planned()
        assert made.apply().code in (0, 3)
        yield made, (prefix, documents)


@pytest.mark.parametrize("side", ["source", "target"])
def test_every_request_is_one_that_the_service_describes(flow: tuple[World, Any], side: str) -> None:
    made, (prefix, documents) = flow
    requests = getattr(made, side).requests
    assert len(requests) > 20
    found = {line for request in requests for line in complaints(documents, prefix, request)}
    azure = prefix == "/openai"
    found = {line for line in found if not (azure and KNOWN.search(line))}
    if any("2024-05" in name for name in documents):
        found = {line for line in found if not LATER.search(line)}
    assert not found, "\n".join(sorted(found))


def test_every_write_was_accepted(flow: tuple[World, Any]) -> None:
    writes = [r for r in flow[0].target.requests if r.method != "GET"]
    assert {r.method for r in writes} == {"POST"}
    assert {r.status for r in writes} == {200}
    bodies = [r.body for r in writes if r.path.endswith(("/assistants", "/threads", "/vector_stores"))]
    metadata = [json.loads(body).get("metadata") or {} for body in bodies]
    full = [row for row in metadata if len(row) == 16]  # no room; the plan reports it
    assert len(full) < 5
    assert all("migrated_from" in row for row in metadata if row not in full)


def objects(document: Any) -> Iterator[Json]:
    """Every API object in an answer."""
    if isinstance(document, dict):
        if isinstance(document.get("object"), str) and document["object"] != "list" and "id" in document:
            yield document
        yield from (o for value in document.values() for o in objects(value))
    elif isinstance(document, list):
        yield from (o for value in document for o in objects(value))


@cache
def recorded() -> dict[str, list[frozenset[str]]]:
    """Top-level keys of every recorded object, by its type; only of the Assistants services, v2."""
    found: dict[str, list[frozenset[str]]] = {}
    for file in sorted(
        [*REAL.glob("azure_v2_*.json"), *REAL.glob("openai_v2_*.json"), *REAL.glob("openai_file*.json")]
    ):
        answer = json.loads(file.read_text(encoding="utf-8")).get("response_body")
        for found_object in objects(answer):
            found.setdefault(found_object["object"], []).append(frozenset(found_object))
    return found


def test_the_emulator_answers_with_the_keys_that_were_recorded(flow: tuple[World, Any]) -> None:
    there = flow[0].target.estate
    tables = {
        "assistant": there.assistants.values(),
        "thread": there.threads.values(),
        "thread.message": there.messages.rows(),
        "file": there.files.values(),
        "vector_store": there.vector_stores.values(),
        "vector_store.file": there.vector_store_files.rows(),
    }
    for type_, rows in tables.items():
        known = recorded()[type_]
        for row in rows:
            missing = frozenset.intersection(*known) - row.keys()
            assert not missing, f"{type_} has no {sorted(missing)}"
