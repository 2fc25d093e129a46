"""Damaged input of every sort: no traceback, and an exit code of the contract. A longer run:
`python -m tests.fuzz FIRST COUNT`, or FUZZ_CASES=N and --exhaustive for this test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz.inputs import NASTY, OPTIONS, SOURCES
from tests.fuzz.runner import EXPECTED, called, prepared, run
from tests.sample import sample

CASES = int(os.environ.get("FUZZ_CASES", "120"))
# Size of the sample of cases.
SIZE = 40


@pytest.mark.exhaustive
def test_damaged_input_ends_in_words_and_an_exit_code_of_the_contract() -> None:
    found = run(sample(range(CASES), SIZE))
    assert found.wrong == []
    assert set(found.ran) == set(SOURCES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["emulate", "--port", "-1"],
        ["emulate", "--port", "99999"],
        ["doctor", "openai+http://[::1"],
        ["doctor", "http://[::1"],
        ["doctor", "openai+https://a\nb"],
        ["doctor", "openai+http://127.0.0.1:99999"],
        ["search", "a.db", "i", "--limit", "9" * 30],
        ["search", "a.db", "\ud800"],
        ["apply", "\x00"],
        ["doctor", "east", "--config", "\ud800"],
        ["snapshot", "east", "-o", "\udfff.db"],
        ["ls", "x" * 5000],
        ["ls", "a.db", "--config", "x" * 5000],
    ],
    ids=lambda value: " ".join(value)[:40].encode("ascii", "replace").decode().replace("\x00", "NUL"),
)
def test_an_input_that_once_ended_in_a_traceback(tmp_path: Path, arguments: list[str]) -> None:
    prepared(tmp_path)
    code, err = called(arguments, tmp_path)
    assert code in EXPECTED - {0} or arguments[0] == "search"
    assert "Traceback" not in err


def test_the_fuzzer_knows_every_option_and_finds_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(NASTY) > 80
    assert len(OPTIONS) > 50

    def broken(*_: object) -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr("migrate.cli.program.main", broken)
    assert len(run(range(3)).wrong) == 3
