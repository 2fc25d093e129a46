"""Citations of an answer: which of them a conversation gets, in which form, and what the plan reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import CODECS, Target
from migrate.model import Entity
from migrate.model.message import count_citations, without_citations
from migrate.model.normalize import normalize_entity
from migrate.model.references import references_of
from migrate.stages.plan.adaptation import alternative_targets
from tests.codecs.adaptation import CLASSIC, FOUNDRY, NATIVE, adapted, fit, message, reasons, text, without

Json = dict[str, Any]
FILES = {"file-a": "Report.PDF", "file-b": "sales.csv"}
STORED = frozenset({"completed"})


def knowing_files(target: Target, stored: frozenset[str] = frozenset()) -> Target:
    """The target, for a snapshot that has these files; `stored`: their states in vector stores."""

    def find_file(id_: str) -> Entity | None:
        return Entity("file", id_, fields={"filename": FILES[id_]}) if id_ in FILES else None

    return replace(target, find_file=find_file, vector_store_states=lambda id_: stored)


TARGET = knowing_files(FOUNDRY)
BETWEEN = knowing_files(NATIVE)


def cited(file_id: str = "file-a", **more: Any) -> Json:
    """A citation of an older message."""
    inner = {"file_id": file_id, "quote": "as it says"}
    given = {"type": "file_citation", "text": "[1]", "start_index": 4, "end_index": 7, "file_citation": inner}
    return {**given, **more}


def path(file_id: str = "file-b", **more: Any) -> Json:
    """A path to a file of an older message."""
    given = {"type": "file_path", "text": "sandbox:/b", "start_index": 9, "end_index": 19}
    return {**given, "file_path": {"file_id": file_id}, **more}


def newer(file_id: str = "file-a", **more: Any) -> Json:
    """A citation of an item."""
    return {"type": "file_citation", "file_id": file_id, "index": 4, "filename": "Report.PDF", **more}


def answer(*citations: Json, value: str = "See [1] sandbox:/b") -> Entity:
    return message(text(value, *citations), role="assistant")


def written(entity: Entity, target: Target = TARGET) -> list[list[Json]]:
    """The annotations of each part of the item that is sent."""
    item = CODECS["foundry"].create_request(adapted(entity, target)[0])
    return [part["annotations"] for part in item["content"]]


def test_both_types_arrive_with_file_name_and_position() -> None:
    sent = [
        {"type": "file_citation", "file_id": "file-a", "index": 4, "filename": "Report.PDF"},
        {"type": "file_path", "file_id": "file-b", "index": 9},
    ]
    given = answer(cited(), path())
    assert written(given) == [sent]
    assert fit(given, TARGET)[1] == [("content.text.annotations", "adapted")]
    reported = reasons(given, TARGET)
    for said in ("2 citation(s)", "without quote and range", "tried at apply"):
        assert said in reported
    assert all(loss.way_out for loss in adapted(given, TARGET)[1])


def test_between_projects_they_are_copied() -> None:
    given = answer(newer(), {"type": "file_path", "file_id": "file-b", "index": 0})
    assert written(given, BETWEEN) == [
        [newer() | {"filename": "Report.PDF"}, {"type": "file_path", "file_id": "file-b", "index": 0}]
    ]
    assert fit(given, BETWEEN)[1] == [("content.text.annotations", "adapted")]
    assert "quote" not in reasons(given, BETWEEN)


def test_a_key_that_no_description_has_is_reported() -> None:
    given = answer(newer(score=0.5, tomorrow=None))
    assert set(written(given, BETWEEN)[0][0]) == {"type", "file_id", "index", "filename"}
    assert "without score," in reasons(given, BETWEEN)


def test_the_name_is_the_one_that_the_file_has_on_the_target() -> None:
    assert written(answer(cited()), knowing_files(FOUNDRY, STORED))[0][0]["filename"] == "Report.pdf"
    in_place = replace(knowing_files(FOUNDRY, STORED), in_place=lambda kind, id_: True)
    assert written(answer(cited()), in_place)[0][0]["filename"] == "Report.PDF"


def test_a_file_that_only_the_target_has_keeps_the_name_of_the_citation() -> None:
    assert written(answer(newer("file-z", filename="z.txt")), BETWEEN)[0][0]["filename"] == "z.txt"
    assert written(answer(cited("file-z"))) == [[]], "its name is known nowhere"


@pytest.mark.parametrize(
    "citation",
    [
        cited(start_index=None),
        cited(start_index=-1),
        cited(start_index=True),
        cited(start_index="4"),
        cited(file_citation=None),
        cited(file_citation={"file_id": 5}),
        newer(index=None, file_id=None),
        {"type": "url_citation", "url": "https://example.com", "start_index": 0, "end_index": 1},
        {"type": "container_file_citation", "file_id": "file-a", "container_id": "c", "index": 0},
        {"type": ["file_citation"], "file_id": "file-a", "index": 0},
        {},
    ],
)
def test_what_cannot_be_written_is_lost_and_the_rest_arrives(citation: Json) -> None:
    given = answer(citation, path())
    assert [row["type"] for row in written(given)[0]] == ["file_path"]
    assert fit(given, TARGET)[1] == [
        ("content.text.annotations", "adapted"),
        ("content.text.annotations", "lost"),
    ]
    assert "1 citation(s) cannot be written" in reasons(given, TARGET)


def test_a_citation_of_a_file_that_is_not_moved_is_reported_as_lost() -> None:
    given, target = answer(cited(), path()), without("file-a", target=TARGET)
    assert [row["type"] for row in written(given, target)[0]] == ["file_path"]
    assert "1 citation(s) of files that cannot be moved" in reasons(given, target)


@pytest.mark.parametrize("role", ["user", "system"])
def test_only_answers_have_citations(role: str) -> None:
    given = message(text("See [1]", cited()), role=role)
    assert fit(given, TARGET)[1] == [("content.text.annotations", "lost")]
    assert count_citations(adapted(given, TARGET)[0]) == 0


def test_the_older_generation_takes_none() -> None:
    given = answer(cited())
    assert fit(given, knowing_files(CLASSIC))[1] == [("content.text.annotations", "lost")]
    assert count_citations(adapted(given, knowing_files(CLASSIC))[0]) == 0


@pytest.mark.parametrize(
    ("position", "part", "index"), [(0, 0, 0), (3, 0, 3), (4, 1, 0), (9, 2, 1), (99, 2, 91)]
)
def test_a_citation_is_in_its_part_of_a_long_text(position: int, part: int, index: int) -> None:
    target = replace(TARGET, capabilities=replace(TARGET.capabilities, text_max=4))
    rows = written(answer(cited(start_index=position), value="abcdefghij"), target)
    assert [len(row) for row in rows] == [number == part for number in range(3)]
    assert rows[part][0]["index"] == index


def test_a_citation_of_an_empty_text_is_lost() -> None:
    given = message(text("", cited()), text("x"), role="assistant")
    assert written(given) == [[]]
    assert ("content.text.annotations", "lost") in fit(given, TARGET)[1]


def test_the_new_id_of_a_file_is_found_in_a_citation() -> None:
    references = list(references_of(adapted(answer(cited(), path()), TARGET)[0]))
    assert [id_ for _, kind, id_ in references if kind == "file"] == ["file-a", "file-b"]


def test_the_name_of_a_cited_file_is_not_compared_and_all_else_is() -> None:
    def form(**more: Any) -> dict[str, Any]:
        return normalize_entity(answer(newer(**more)))

    assert form(filename="other.pdf") == form() == form(tomorrow=None)
    assert form(index=5) != form()
    assert form(file_id="file-b") != form()
    assert normalize_entity(answer()) != form()


def test_a_message_may_be_there_in_every_form_that_apply_tries() -> None:
    codec = CODECS["foundry"]
    both = replace(answer(newer()), fields={**answer(newer()).fields, "phase": "commentary"})
    forms = [
        (bool(entity.fields.get("phase")), count_citations(entity))
        for target in alternative_targets(codec, BETWEEN, adapted(both, BETWEEN)[0])
        for entity in [adapted(both, target)[0]]
    ]
    assert forms == [(True, 0), (False, 1), (False, 0)]
    settled = alternative_targets(codec, BETWEEN, adapted(both, BETWEEN)[0], citations_may_lack=False)
    assert [count_citations(adapted(both, target)[0]) for target in settled] == [1]
    assert alternative_targets(codec, BETWEEN, adapted(answer(), BETWEEN)[0]) == []


@pytest.mark.parametrize("content", [None, "x", [None, 5, {"text": "x"}, {"text": {"annotations": 5}}], []])
def test_odd_content_has_no_citations(content: Any) -> None:
    odd = Entity("message", "m", fields={"role": "assistant", "content": content})
    assert count_citations(odd) == 0
    assert without_citations(odd) is odd


def test_without_citations_the_text_stays() -> None:
    bare = without_citations(answer(cited(), path()))
    assert normalize_entity(bare) == normalize_entity(answer())
