"""The table of models that retire: each row has the source of its date, and names match as declared."""

from __future__ import annotations

from datetime import date

import pytest

from migrate.model.retirements import (
    MODEL_RETIREMENTS,
    SERVICE_RETIREMENTS,
    find_azure_retirement,
    find_openai_retirement,
    parse_shutdown_date,
)


def test_each_row_has_a_source_and_was_read_before_the_model_ends() -> None:
    for row in (*MODEL_RETIREMENTS, *SERVICE_RETIREMENTS):
        assert row.source
        assert date(2026, 11, 30) <= row.read_on < row.ends_on
    assert len({(r.maker, r.model, r.version) for r in MODEL_RETIREMENTS}) == len(MODEL_RETIREMENTS)


@pytest.mark.parametrize(
    ("model", "ends_on", "is_named"),
    [
        ("gpt-4o", date(2027, 1, 14), True),
        ("gpt-4o-2024-08-06", date(2027, 1, 14), False),
        ("ft:gpt-4o-2024-08-06:acme::abc", date(2027, 1, 14), True),
        ("ft:gpt-4o", date(2027, 1, 14), True),
        ("ft:gpt-5-2025-08-07:acme::abc", date(2026, 12, 11), False),
        ("o3-pro", date(2026, 12, 11), True),
    ],
)
def test_a_model_of_openai_is_found_by_its_name_or_base(model: str, ends_on: date, is_named: bool) -> None:
    found = find_openai_retirement(model)
    assert found is not None
    assert (found[0].ends_on, found[1]) == (ends_on, is_named)


@pytest.mark.parametrize(
    "model", ["", "gpt-4", "gpt-4o-audio-preview", "gpt-4o-20240806", "o3-mini", "xgpt-4o", "ft:", "gpt-5.4"]
)
def test_another_model_of_openai_is_not_found(model: str) -> None:
    assert find_openai_retirement(model) is None


def test_a_model_of_azure_ends_in_one_version_only() -> None:
    row = find_azure_retirement("gpt-4.1", "2025-04-14")
    assert row is not None
    assert row.ends_on == date(2027, 4, 14)
    assert find_azure_retirement("gpt-4.1", "2026-01-01") is None
    assert find_azure_retirement("gpt-4.1", None) == row
    assert find_azure_retirement("gpt-4o", None) is None, "a date of OpenAI says nothing about Azure"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2027-01-14", date(2027, 1, 14)),
        ("2027-01-14T00:00:00Z", date(2027, 1, 14)),
        ("January 2027", None),
        ("2027-13-01", None),
        ("", None),
        (None, None),
        (1_800_000_000, None),
    ],
)
def test_a_shutdown_date_that_is_no_date_counts_as_not_given(text: object, day: date | None) -> None:
    assert parse_shutdown_date(text) == day
