"""Files, vector stores and the files in them adapted to a target, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import Target
from migrate.model import Entity
from tests.codecs.adaptation import AZURE, OLD_AZURE, OPENAI, fit, reasons, without


def file(filename: str = "a.txt", **more: Any) -> Entity:
    return Entity(
        "file", "file-a", fields={"filename": filename, "purpose": "assistants", "sha256": "00", **more}
    )


def store(**fields: Any) -> Entity:
    return Entity("vector_store", "vs_1", fields={"name": "S", **fields})


def row(**fields: Any) -> Entity:
    return Entity("vector_store_file", "file-a", "vs_1", {"file_id": "file-a", **fields})


class TestFile:
    def test_without_bytes_it_is_blocked(self) -> None:
        assert fit(file(sha256=None))[1] == [("bytes", "blocked")]

    @pytest.mark.parametrize(
        ("target", "filename", "purpose", "accepted"),
        [
            (AZURE, "a.txt", "assistants", "assistants"),
            (AZURE, "a.jsonl", "fine-tune", "fine-tune"),
            (AZURE, "a.txt", "assistants_output", "assistants"),
            (AZURE, "a.png", "assistants_output", "assistants"),
            (AZURE, "a.png", "vision", "assistants"),
            (AZURE, "a.pdf", "user_data", "assistants"),
            (OPENAI, "a.png", "vision", "vision"),
            (OPENAI, "A.PNG", "assistants_output", "vision"),
            (OPENAI, "a.csv", "assistants_output", "assistants"),
            (OPENAI, "a.pdf", "user_data", "user_data"),
            (OPENAI, "a", "", "assistants"),
        ],
    )
    def test_the_purpose_is_one_the_target_takes(
        self, target: Target, filename: str, purpose: str, accepted: str
    ) -> None:
        fitted, reported = fit(file(filename, purpose=purpose), target)
        assert fitted.fields["purpose"] == accepted
        assert reported == ([] if accepted == purpose else [("purpose", "adapted")])

    def test_a_loss_reports_that_the_new_file_does_not_expire(self) -> None:
        assert fit(replace(file(), facts={"expires_at": 1}))[1] == [("expires_at", "adapted")]


class TestStore:
    def test_a_description_is_lost_on_azure_and_kept_on_openai(self) -> None:
        fitted, reported = fit(store(description="d"))
        assert (fitted.fields["description"], reported) == (None, [("description", "lost")])
        fitted, reported = fit(store(description="d"), OPENAI)
        assert (fitted.fields["description"], reported) == ("d", [])

    def test_a_long_name_is_cut(self) -> None:
        fitted, reported = fit(store(name="n" * 257))
        assert (fitted.fields["name"], reported) == ("n" * 256, [("name", "lost")])

    @pytest.mark.parametrize("days", [1, 365])
    def test_an_expiry_that_is_accepted_stays(self, days: int) -> None:
        expiry = {"anchor": "last_active_at", "days": days}
        fitted, reported = fit(store(expires_after=expiry))
        assert (fitted.fields["expires_after"], reported) == (expiry, [])

    @pytest.mark.parametrize(
        "expiry",
        [
            {"anchor": "last_active_at", "days": 0},
            {"anchor": "last_active_at", "days": 366},
            {"anchor": "created_at", "days": 7},
            {"anchor": "last_active_at"},
        ],
    )
    def test_an_expiry_that_is_not_is_lost(self, expiry: dict[str, Any]) -> None:
        fitted, reported = fit(store(expires_after=expiry))
        assert (fitted.fields["expires_after"], reported) == (None, [("expires_after", "lost")])

    def test_an_expired_store_is_created_again(self) -> None:
        assert fit(replace(store(), facts={"status": "expired"}))[1] == [("status", "adapted")]


class TestStoreFile:
    def test_without_its_file_it_is_blocked(self) -> None:
        assert fit(row(), without("file-a"))[1] == [("file_id", "blocked")]

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_one_that_was_not_searchable_is_tried_again(self, status: str) -> None:
        facts = {"status": status, "last_error": {"message": "no text in it"}}
        assert fit(replace(row(), facts=facts))[1] == [("status", "adapted")]
        assert "no text in it" in reasons(replace(row(), facts=facts))

    @pytest.mark.parametrize(
        "chunking",
        [
            {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}},
            {"type": "auto"},
            None,
        ],
    )
    def test_chunking_that_can_be_asked_for_stays(self, chunking: Any) -> None:
        fitted, reported = fit(row(chunking_strategy=chunking))
        assert (fitted.fields["chunking_strategy"], reported) == (chunking, [])

    def test_chunking_other_cannot_be_asked_for(self) -> None:
        fitted, reported = fit(row(chunking_strategy={"type": "other"}))
        assert (fitted.fields["chunking_strategy"], reported) == (None, [("chunking_strategy", "adapted")])

    @pytest.mark.parametrize(
        "attributes", [{"a": "x" * 512, "b": 1, "c": 0.5, "d": False}, {"k" * 64: ""}, {}]
    )
    def test_attributes_within_the_limits_stay(self, attributes: dict[str, Any]) -> None:
        fitted, reported = fit(row(attributes=attributes))
        assert (fitted.fields["attributes"], reported) == (attributes, [])

    def test_a_service_without_attributes_loses_them(self) -> None:
        fitted, reported = fit(row(attributes={"a": "x"}), OLD_AZURE)
        assert (fitted.fields["attributes"], reported) == ({}, [("attributes", "lost")])

    @pytest.mark.parametrize("pair", [("a", "x" * 513), ("k" * 65, 1), ("a", ["x"]), ("a", None)])
    def test_an_attribute_beyond_the_limits_is_lost(self, pair: tuple[str, Any]) -> None:
        fitted, reported = fit(row(attributes=dict([pair, ("kept", 1)])))
        assert (fitted.fields["attributes"], reported) == ({"kept": 1}, [("attributes", "lost")])

    def test_a_seventeenth_attribute_is_lost(self) -> None:
        fitted, reported = fit(row(attributes={f"k{n}": n for n in range(17)}))
        assert len(fitted.fields["attributes"]) == 16
        assert reported == [("attributes", "lost")]
