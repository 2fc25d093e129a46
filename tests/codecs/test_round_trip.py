"""An adapted object is read back unchanged, changes are reported, and adapting again changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from migrate.codecs import Target
from migrate.codecs.adapt import adapt
from migrate.codecs.assistants import WRITTEN_FIELDS, decode_assistants_object, encode_create
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from tests.codecs.adaptation import AZURE, OLD_AZURE, OPENAI
from tests.codecs.service_answers import answered
from tests.strategies import anything, steady


def _tight(target: Target) -> Target:
    """The same service with limits that generated objects often exceed."""
    capabilities = replace(
        target.capabilities,
        name_max=10,
        description_max=10,
        instructions_max=30,
        tools_max=3,
        code_files_max=2,
        text_max=40,
        metadata_pairs=4,
        metadata_key_max=20,
        metadata_value_max=40,
    )
    return replace(
        target,
        capabilities=capabilities,
        models={"old": "new"},
        has=lambda _kind, id_: not str(id_).startswith("gone"),
        moves_thread_store=lambda thread: thread == "thread-1",
    )


TARGETS = {
    "azure": _tight(AZURE),
    "azure-without-attributes": _tight(OLD_AZURE),
    "openai": _tight(OPENAI),
    "roomy": OPENAI,
}
each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())


@each_target
@steady
@given(entity=anything)
def test_what_is_written_reads_back_as_promised(target: Target, entity: Entity) -> None:
    fitted, _ = adapt(entity, target)
    wire = json.loads(json.dumps(encode_create(fitted)))
    assert wire.keys() <= set(WRITTEN_FIELDS[entity.kind])
    back, *derived = decode_assistants_object(entity.kind, answered(entity.kind, wire), entity.parent)
    assert not derived
    assert normalize_entity(back) == normalize_entity(fitted)


@each_target
@steady
@given(entity=anything)
def test_every_field_that_changes_is_reported(target: Target, entity: Entity) -> None:
    fitted, losses = adapt(entity, target)
    before, after = normalize_entity(entity), normalize_entity(fitted)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed <= {loss.field.split(".")[0] for loss in losses}


@each_target
@steady
@given(entity=anything)
def test_what_fits_is_not_changed_again(target: Target, entity: Entity) -> None:
    once, _ = adapt(entity, target)
    twice, _ = adapt(once, target)
    assert twice == once


@each_target
@steady
@given(entity=anything)
def test_adapting_leaves_the_original_alone(target: Target, entity: Entity) -> None:
    before = json.dumps([entity.fields, entity.facts, entity.extras])
    adapt(entity, target)
    assert json.dumps([entity.fields, entity.facts, entity.extras]) == before
