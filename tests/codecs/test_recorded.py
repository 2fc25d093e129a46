"""Recorded answers of services are decoded completely: every key of every body is found again."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.codecs.assistants import decode_assistants_object
from migrate.model import KINDS
from migrate.model.normalize import normalize_entity
from migrate.model.references import references_of
from tests.codecs.recordings import FOLDER, KIND_OF, answer, names, objects

pytestmark = pytest.mark.skipif(not names(), reason=f"no recordings of real answers in {FOLDER.name}/")

NO_OBJECTS = {"vector_store.file_batch"}
each_object = pytest.mark.parametrize(
    ("name", "kind", "body"), [pytest.param(*one, id=f"{one[0]}-{one[2]['id']}") for one in objects()]
)


def test_every_recording_is_looked_at() -> None:
    seen = {name for name, _, _ in objects()}
    for name in set(names()) - seen:
        body = answer(name)
        assert "error" in body or body.get("data") == [] or body.get("object") in NO_OBJECTS, name


def test_every_kind_was_recorded() -> None:
    assert {kind for _, kind, _ in objects()} == set(KIND_OF.values())


@each_object
def test_nothing_of_a_recorded_object_is_lost(name: str, kind: str, body: dict[str, Any]) -> None:
    entity, *derived = decode_assistants_object(kind, body)
    assert not derived
    assert entity.id == body["id"]
    held = {**entity.fields, **entity.facts, **entity.extras}
    for key, value in body.items():
        if key not in KINDS[kind].aliases:
            assert held[key] == value, key
        else:
            assert value == [], "a filled list needs its own test of where it went"


@each_object
def test_a_recorded_object_holds_nothing_unknown(name: str, kind: str, body: dict[str, Any]) -> None:
    entity = decode_assistants_object(kind, body)[0]
    assert not entity.extras, "name it as a field or a fact of the kind"


@each_object
def test_a_recorded_object_has_a_compared_form(name: str, kind: str, body: dict[str, Any]) -> None:
    compared = normalize_entity(decode_assistants_object(kind, body)[0])
    assert compared.keys() <= set(KINDS[kind].fields)
    assert None not in compared.values()


def test_two_answers_of_one_thread_are_one_thread() -> None:
    if "aoai_thread_get_rewrite.json" not in names():
        pytest.skip("this recording is not there")
    got = answer("aoai_thread_get_rewrite.json")
    posted = {**got, "tool_resources": {}}
    assert normalize_entity(decode_assistants_object("thread", got)[0]) == normalize_entity(
        decode_assistants_object("thread", posted)[0]
    )


def test_a_citation_of_a_real_answer_is_a_reference() -> None:
    if "azure_v2_messages_list_with_file_citation.json" not in names():
        pytest.skip("this recording is not there")
    rows = answer("azure_v2_messages_list_with_file_citation.json")["data"]
    found = [ref for row in rows for ref in references_of(decode_assistants_object("message", row)[0])]
    assert found == [
        (
            "content[].text.annotations[].file_citation.file_id",
            "file",
            "assistant-Upx9SCX6hThR6KH4aaCPnh",
        )
    ]
