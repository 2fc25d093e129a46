"""Objects adapted to either generation of a project read back unchanged; every change is reported."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from migrate.codecs import CODECS, Target
from migrate.model import KINDS, Entity
from migrate.model.normalize import normalize_entity, normalize_written_fields
from tests.codecs import project_answers, service_answers
from tests.codecs.adaptation import CLASSIC, FOUNDRY, NATIVE, adapted
from tests.strategies import anything, named_files, steady


def _surrounded(target: Target, **limits: Any) -> Target:
    """The same service, for an estate in which some objects of every kind are missing."""
    return replace(
        target,
        capabilities=replace(target.capabilities, **limits),
        models={"old": "new"},
        connections={"papers": "archive"},
        reasoning=frozenset({"new"}),
        has=lambda _kind, id_: not str(id_).startswith("gone"),
    )


TIGHT = {
    "name_max": 10,
    "description_max": 10,
    "instructions_max": 30,
    "tools_max": 3,
    "code_files_max": 2,
    "text_max": 40,
    "metadata_pairs": 4,
    "metadata_key_max": 20,
    "metadata_value_max": 40,
}
TARGETS = {
    "foundry": _surrounded(FOUNDRY),
    "foundry-tight": _surrounded(FOUNDRY, **TIGHT),
    "foundry-native": _surrounded(NATIVE),
    "classic": _surrounded(CLASSIC),
    "classic-tight": _surrounded(CLASSIC, **TIGHT),
}
each_target = pytest.mark.parametrize("name", TARGETS)


def addressed(target: Target, entity: Entity) -> Target:
    """The target, with the address that it would choose for this object."""
    choose = CODECS[target.capabilities.service].assign_names
    return replace(target, names=choose([(entity.id, entity.name)], ()) if choose else {})


def read_back(fitted: Entity, target: Target) -> Entity:
    """Encode, answer as the service does, and decode."""
    codec = CODECS[target.capabilities.service]
    wire = json.loads(json.dumps(codec.create_request(fitted)))
    if target.capabilities.service == "foundry":
        name = target.names.get(fitted.id, "made-agent")
        body = project_answers.answered(fitted.kind, wire, name)
    else:
        body = service_answers.answered(fitted.kind, wire)
    back, *derived = codec.decode(fitted.kind, body, fitted.parent, None)
    assert not derived
    return back


@each_target
@steady
@given(entity=anything)
def test_what_is_written_reads_back_as_promised(name: str, entity: Entity) -> None:
    target = addressed(TARGETS[name], entity)
    fitted, _ = adapted(entity, target)
    back = read_back(fitted, target)
    assert normalize_written_fields(back) == normalize_entity(fitted)
    assert not back.extras


@each_target
@steady
@given(file=named_files)
def test_a_file_is_uploaded_as_promised(name: str, file: Entity) -> None:
    """Files are sent as forms: name, purpose and bytes are all there is."""
    target = TARGETS[name]
    fitted, losses = adapted(file, target)
    assert fitted.fields["purpose"] in target.capabilities.purposes.values()
    form = {"filename": fitted.fields["filename"], "purpose": fitted.fields["purpose"]}
    answer = {
        "object": "file",
        "id": "assistant-1",
        "bytes": 9,
        "created_at": 9,
        "status": "processed",
        **form,
    }
    back = CODECS[target.capabilities.service].decode("file", answer, "", None)[0]
    assert {field: normalize_entity(back)[field] for field in form} == {
        field: normalize_entity(fitted)[field] for field in form
    }
    for field in form:
        if normalize_entity(file).get(field) != normalize_entity(fitted).get(field):
            assert field in {loss.field for loss in losses}


def changed_fields(one: Entity, other: Entity) -> set[str]:
    """Fields in which two objects differ in the compared form."""
    before, after = normalize_entity(one), normalize_entity(other)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def names_twice(entity: Entity) -> bool:
    """Whether a list of ids has duplicates, which no service accepts."""
    branches = (entity.fields.get("tool_resources") or {}).values()
    lists = [ids for branch in branches if isinstance(branch, dict) for ids in branch.values()]
    return any(ids.count(one) > 1 for ids in lists if isinstance(ids, list) for one in ids)


# Losses that affect more than the field of their name.
EXPLAINS = {"connections": {"tools", "tool_resources"}}


@each_target
@steady
@given(entity=anything)
def test_every_field_that_changes_is_reported_with_its_reason(name: str, entity: Entity) -> None:
    fitted, losses = adapted(entity, addressed(TARGETS[name], entity))
    named = {loss.field.split(".")[0] for loss in losses}
    assert changed_fields(entity, fitted) <= named.union(*(EXPLAINS.get(field, set()) for field in named))
    for loss in losses:
        assert "by no rule" not in loss.reason or names_twice(entity), loss


@each_target
@steady
@given(entity=anything)
def test_nothing_is_reported_lost_that_arrives(name: str, entity: Entity) -> None:
    target = addressed(TARGETS[name], entity)
    fitted, losses = adapted(entity, target)
    before, after = normalize_entity(entity), normalize_entity(fitted)
    for loss in losses:
        field = loss.field.split(".")[0]
        if loss.grade == "lost" and field in KINDS[entity.kind].fields:
            assert before.get(field) != after.get(field), loss


@each_target
@steady
@given(entity=anything)
def test_what_fits_is_not_changed_again(name: str, entity: Entity) -> None:
    target = addressed(TARGETS[name], entity)
    once, _ = adapted(entity, target)
    twice, _ = adapted(once, target)
    assert normalize_entity(twice) == normalize_entity(once)


@each_target
@steady
@given(entity=anything)
def test_adapting_leaves_the_original_alone(name: str, entity: Entity) -> None:
    target = addressed(TARGETS[name], entity)
    before = json.dumps([entity.fields, entity.facts, entity.extras])
    adapted(entity, target)
    assert json.dumps([entity.fields, entity.facts, entity.extras]) == before
