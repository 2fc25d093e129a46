"""Every object of every bundled estate is decoded completely, and reads back as its adapted form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.codecs import Target
from migrate.codecs.adapt import adapt
from migrate.codecs.assistants import WRITTEN_FIELDS, decode_assistants_object, encode_create
from migrate.model import KINDS, Entity
from migrate.model.normalize import normalize_entity
from tests.codecs.adaptation import AZURE, OLD_AZURE, OPENAI
from tests.codecs.recordings import KIND_OF
from tests.codecs.service_answers import answered

FIXTURES = Path(__file__).parents[2] / "fixtures"
PARENT = {
    "message": "thread_id",
    "run": "thread_id",
    "run_step": "thread_id",
    "vector_store_file": "vector_store_id",
}
ESTATES = ("azure-v2", "openai-v2", "azure-v1")


def bodies(estate: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((FIXTURES / estate).rglob("*.json")):
        for body in json.loads(path.read_text(encoding="utf-8"))["data"]:
            yield KIND_OF[body["object"]], body


def decoded(estate: str) -> Iterator[tuple[dict[str, Any], list[Entity]]]:
    for kind, body in bodies(estate):
        yield body, decode_assistants_object(kind, body, body.get(PARENT.get(kind, ""), ""))


@pytest.mark.parametrize("estate", ESTATES)
def test_nothing_of_a_body_is_dropped(estate: str) -> None:
    for body, (entity, *_) in decoded(estate):
        aliases = set(KINDS[entity.kind].aliases)
        assert body.keys() - aliases <= entity.fields.keys() | entity.facts.keys() | entity.extras.keys()
        if KINDS[entity.kind].replayed:
            assert not entity.extras, f"{entity.kind} {entity.id} has fields that nobody knows"


@pytest.mark.parametrize("target", [AZURE, OLD_AZURE, OPENAI], ids=["azure", "old azure", "openai"])
@pytest.mark.parametrize("estate", ESTATES)
def test_what_is_written_reads_back(estate: str, target: Target) -> None:
    seen = set()
    for _, entities in decoded(estate):
        for entity in entities:
            if entity.kind not in WRITTEN_FIELDS:
                continue
            seen.add(entity.kind)
            fitted, losses = adapt(entity, target)
            wire = json.loads(json.dumps(encode_create(fitted)))
            back = decode_assistants_object(entity.kind, answered(entity.kind, wire), entity.parent)[0]
            assert normalize_entity(back) == normalize_entity(fitted), f"{entity.kind} {entity.id}"
            before, after = normalize_entity(entity), normalize_entity(fitted)
            changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
            assert changed <= {loss.field.split(".")[0] for loss in losses}, f"{entity.kind} {entity.id}"
    assert seen == set(WRITTEN_FIELDS)
