"""File names that are adapted for vector stores, which detect the type of a file by its extension."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.codecs import Target
from migrate.codecs.capabilities import SEARCHABLE_EXTENSIONS
from migrate.model import Entity
from migrate.model.file import is_same_filename, normalize_filename
from tests.codecs.adaptation import AZURE, CLASSIC, FOUNDRY, NATIVE, OPENAI, adapted, fit

SEARCHED = frozenset({"completed"})


def file(name: str) -> Entity:
    return Entity("file", "file-a", fields={"filename": name, "purpose": "assistants", "sha256": "00"})


def row(**facts: str) -> Entity:
    return Entity("vector_store_file", "file-a", "vs_1", {"file_id": "file-a"}, facts)


def holding(name: str, target: Target = FOUNDRY, states: frozenset[str] = SEARCHED) -> Target:
    """The target, for an estate whose only file is in a store."""
    found = file(name)
    return replace(target, find_file=lambda id_: found, vector_store_states=lambda id_: states)


@pytest.mark.parametrize("target", [FOUNDRY, CLASSIC, OPENAI], ids=lambda target: target.capabilities.service)
@pytest.mark.parametrize("ending", sorted(SEARCHABLE_EXTENSIONS))
def test_an_ending_in_large_letters_is_uploaded_in_small_ones(ending: str, target: Target) -> None:
    name = f"Terms 2024{ending.upper()}"
    fitted, reported = fit(file(name), holding(name, target))
    assert fitted.fields["filename"] == f"Terms 2024{ending}"
    assert reported == [("filename", "adapted")]
    assert fit(row(status="completed"), holding(name, target))[1] == []


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("a.Pdf", "a.pdf"),
        ("a.pdf ", "a.pdf"),
        ("a.pdf.", "a.pdf"),
        ("a.PDF. .", "a.pdf"),
        ("Archive.Old.MD", "Archive.Old.md"),
        ("UPPER.txt", "UPPER.txt"),
        ("Assets/A.PDF", "Assets/A.pdf"),
        (".PDF", ".PDF"),
        ("...", "..."),
    ],
)
def test_nothing_but_the_ending_changes(name: str, becomes: str) -> None:
    assert normalize_filename(name) == becomes
    assert normalize_filename(becomes) == becomes
    assert is_same_filename(name, becomes)
    assert fit(file(name), holding(name))[0].fields["filename"] == becomes


def test_a_file_in_no_store_keeps_its_name() -> None:
    assert fit(file("A.PDF"), holding("A.PDF", states=frozenset()))[0].fields["filename"] == "A.PDF"


@pytest.mark.parametrize(
    ("target", "states", "becomes"),
    [
        (NATIVE, {"completed"}, "A.pdf"),
        (NATIVE, {"failed"}, "A.pdf"),
        (AZURE, {"completed"}, "A.pdf"),
        (OPENAI, {"completed"}, "A.pdf"),
        (NATIVE, set(), "A.PDF"),
    ],
)
def test_a_name_that_one_service_searches_may_be_refused_by_another(
    target: Target, states: set[str], becomes: str
) -> None:
    assert fit(file("A.PDF"), holding("A.PDF", target, frozenset(states)))[0].fields["filename"] == becomes


@pytest.mark.parametrize("name", ["table.csv", "notes"])
def test_an_ending_that_only_the_source_searches_is_reported_as_tried(name: str) -> None:
    _, losses = adapted(row(status="completed"), holding(name, NATIVE))
    assert [(one.field, one.grade) for one in losses] == [("file_id", "adapted")]
    assert "tried at apply" in losses[0].reason


@pytest.mark.parametrize(
    "name", ["table.csv", "TABLE.CSV", "notes", "notes.", ".pdf", "a.tar.gz", "a.pdf.exe"]
)
def test_a_file_that_a_store_refuses_is_reported_before_it_is_sent(name: str) -> None:
    assert fit(row(status="completed"), holding(name))[1] == [("file_id", "blocked")]


def test_a_name_longer_than_any_seen_is_reported_as_tried() -> None:
    assert fit(file(f"{'x' * 300}.txt"), FOUNDRY)[1] == [("filename", "adapted")]


def test_names_that_differ_in_more_than_the_ending_are_not_the_same() -> None:
    assert not is_same_filename("A.pdf", "a.pdf")
    assert not is_same_filename("a.pdf", "a.txt")
    assert not is_same_filename(None, "a.txt")
