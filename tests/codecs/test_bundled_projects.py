"""Every object of every bundled estate, moved to a project or from one, reads back as its adapted form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from migrate.codecs import CODECS, Target
from migrate.model import Entity
from migrate.model.normalize import normalize_entity, normalize_written_fields
from tests.codecs.adaptation import AZURE, CLASSIC, FOUNDRY, NATIVE, adapted
from tests.codecs.recordings import PROJECT_KIND_OF
from tests.codecs.test_bundled import FIXTURES, PARENT
from tests.codecs.test_foundry_round_trip import addressed, read_back

WRITTEN = {"assistant", "thread", "message", "vector_store", "vector_store_file"}
MOVES: dict[str, tuple[str, str, Target]] = {
    "azure to foundry": ("azure-v2", "azure-openai", FOUNDRY),
    "openai to foundry": ("openai-v2", "openai", FOUNDRY),
    "v1 to foundry": ("azure-v1", "azure-openai", FOUNDRY),
    "classic to foundry": ("foundry-classic", "foundry-classic", FOUNDRY),
    "foundry to foundry": ("foundry", "foundry", NATIVE),
    "foundry to azure": ("foundry", "foundry", AZURE),
    "foundry to classic": ("foundry", "foundry", CLASSIC),
    "azure to classic": ("azure-v2", "azure-openai", CLASSIC),
}


def bodies(estate: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, parent and body of every object of a bundled estate."""
    for path in sorted((FIXTURES / estate).rglob("*.json")):
        for body in json.loads(path.read_text(encoding="utf-8")).get("data", []):
            kind = PROJECT_KIND_OF.get(body.get("object"), "message")
            yield kind, body.get(PARENT.get(kind, ""), path.stem), body


def entities(estate: str, service: str) -> Iterator[Entity]:
    for kind, parent, body in bodies(estate):
        yield from CODECS[service].decode(kind, body, parent, None)


def test_nothing_of_a_bundled_project_is_unknown() -> None:
    seen = Counter(entity.kind for entity in entities("foundry", "foundry"))
    assert set(seen) == {*WRITTEN, "file"}
    for entity in entities("foundry", "foundry"):
        assert not entity.extras, f"{entity.kind} {entity.id}"


@pytest.mark.parametrize("move", MOVES)
def test_what_is_written_reads_back(move: str) -> None:
    estate, service, plain = MOVES[move]
    seen = Counter[str]()
    for entity in entities(estate, service):
        target = addressed(plain, entity)
        if entity.kind not in WRITTEN or CODECS[target.capabilities.service].why_not_replayed(entity, target):
            continue
        fitted, losses = adapted(entity, target)
        if any(loss.grade == "blocked" for loss in losses):
            continue
        seen[entity.kind] += 1
        assert normalize_written_fields(read_back(fitted, target)) == normalize_entity(fitted), (
            f"{entity.kind} {entity.id}"
        )
        before, after = normalize_entity(entity), normalize_entity(fitted)
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert changed <= {loss.field.split(".")[0] for loss in losses}, f"{entity.kind} {entity.id}"
        assert "by no rule" not in str(losses), f"{entity.kind} {entity.id}: {losses}"
    assert set(seen) >= WRITTEN - {"vector_store", "vector_store_file"}


def test_a_project_moves_to_another_without_a_loss_that_could_be_avoided() -> None:
    """Secrets are not moved, and workflows are created by hand; the rest of an agent arrives."""
    found = [
        (entity.name, loss.field)
        for entity in entities("foundry", "foundry")
        if entity.kind in ("assistant", "thread")
        for loss in adapted(entity, addressed(NATIVE, entity))[1]
        if loss.grade != "adapted"
    ]
    assert set(found) == {
        ("tool-belt", "tool_resources.mcp.headers"),
        ("triage-flow", "definition"),
    }
