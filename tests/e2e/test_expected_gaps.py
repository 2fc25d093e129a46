"""Bytes that a service never returns by its own rule: reported and counted, without a failure every night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.errors import AccessDenied, NotDownloadable, NotFound, RequestFailed
from migrate.model.expected_gaps import is_expected
from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, is_listing
from tests.e2e.projects import file, project
from tests.e2e.running import World, options
from tests.e2e.small_estate import furnish

DECLARED = NotDownloadable("Not allowed to download files of purpose: assistants", 400)
WORDLESS = RequestFailed("400: no", 400)


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize(
    ("service", "purpose", "failed", "expected"),
    [
        ("openai", "assistants", DECLARED, True),
        ("openai", "user_data", DECLARED, True),
        ("openai", "assistants", WORDLESS, False),
        ("openai", "assistants", AccessDenied("403", 403), False),
        ("openai", "assistants", NotFound("404", 404), False),
        ("openai", "assistants", RequestFailed("500", 500), False),
        ("openai", "assistants", RequestFailed("no answer"), False),
        ("openai", "assistants_output", DECLARED, False),
        ("openai", "vision", DECLARED, False),
        ("foundry-classic", "assistants", DECLARED, True),
        ("foundry-classic", "assistants", WORDLESS, True),
        ("foundry-classic", "assistants", AccessDenied("403", 403), False),
        ("foundry-classic", "assistants", NotFound("404", 404), False),
        ("foundry-classic", "assistants", RequestFailed("503", 503), False),
        ("foundry-classic", "assistants_output", DECLARED, False),
        ("foundry-classic", "", DECLARED, False),
        ("azure-openai", "assistants", DECLARED, False),  # its answer was never recorded
        ("foundry", "assistants", DECLARED, False),
        ("config", "assistants", DECLARED, False),
    ],
)
def test_what_is_expected(service: str, purpose: str, failed: RequestFailed, expected: bool) -> None:
    assert is_expected(service, purpose, failed) is expected


@pytest.fixture
def classic(launch: Launch) -> World:
    """Classic agents whose uploads cannot be downloaded."""
    world = launch(project("SOURCE_KEY", downloads=False), types=("foundry-classic", "foundry"))
    furnish(world.source)
    return world


def test_a_nightly_backup_of_classic_agents_is_complete(classic: World) -> None:
    for _ in range(2):
        answer = classic.snapshot()
        assert answer["state"] == "complete"
        assert {(row["kind"], row["id"]) for row in answer["missing"]} == {
            ("file", id_) for id_ in classic.source.estate.files
        }
        assert all(row["expected"] is True for row in answer["missing"])
    assert "expected: 2 gaps" in classic.plain("snapshot", "source", "-o", classic.db).out


def test_every_listing_counts_them(classic: World) -> None:
    classic.snapshot()
    (row,) = classic("snapshots", classic.db).ok()
    assert (row["state"], row["gaps"], row["expected_gaps"]) == ("complete", 0, 2)
    for command in (["snapshots"], ["ls"], ["check"]):
        assert "expected: 2 gaps" in classic.plain(*command, classic.db).out, command
    files = classic("ls", classic.db, "--kind", "file").ok()
    assert [one["expected_gap"] for one in files] == [True, True]
    assert classic("check", classic.db).ok()["expected_gaps"] == 2
    plan = classic("plan", classic.db, "target", "-o", classic.plan).ok(1)
    assert plan["expected_gaps"] == 2
    blocked = {row["id"] for row in plan["losses"] if (row["kind"], row["field"]) == ("file", "bytes")}
    assert blocked == set(classic.source.estate.files), "what a plan says of such a file is as before"
    assert "expected: 2 gaps" in classic.plain("assess", classic.db, "--to", "foundry").out
    assert classic("assess", classic.db, "--to", "foundry").ok(1)["expected_gaps"] == 2


def test_a_gap_of_another_sort_beside_them_is_one(launch: Launch) -> None:
    down = {"error": {"message": "The server had an error.", "type": "server_error"}}
    lost = FixedAnswer(is_listing(f"assistant-{2:022}/content"), last=10**6, status=404, body=down)
    world = launch(
        project("SOURCE_KEY", downloads=False), types=("foundry-classic", "foundry"), wrap_source=lost
    )
    furnish(world.source)
    answer = world.snapshot(code=3)
    assert answer["state"] == "partial"
    assert {row["id"][-1]: row["expected"] for row in answer["missing"]} == {"1": True, "2": False}
    (row,) = world("snapshots", world.db).ok()
    assert (row["gaps"], row["expected_gaps"]) == (1, 1)


def test_where_the_service_promises_nothing_it_is_a_gap(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", list_threads="works", downloads=False))
    file(world.source, 1, "notes.md")
    answer = world.snapshot(code=3)
    assert [(row["kind"], row["expected"]) for row in answer["missing"]] == [("file", False)]


def test_an_original_closes_the_gap(classic: World, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_bytes(b"remember")
    answer = classic.snapshot("--originals", str(tmp_path))
    assert [row["name"] for row in answer["missing"]] == ["sales.txt"]


class TestFiltersAndWhatWasLeftOut:
    @pytest.fixture
    def world(self, launch: Launch) -> World:
        made = launch(options("SOURCE_KEY", list_threads="works", downloads=True))
        furnish(made.source)
        return made

    @pytest.mark.exhaustive(4)
    @pytest.mark.parametrize("option", ["--include", "--exclude"])
    @pytest.mark.parametrize(
        ("rule", "code"),
        [
            ("assistant:Nope*", 1),
            ("assistant:reader", 0),
            ("assistant:asst_*", 0),
            ("thread:thread_none", 1),
            ("file:*.md", 0),
            ("file:*.pdf", 1),
            ("message:*", 0),
        ],
    )
    def test_a_filter_without_matches_is_reported(
        self, world: World, option: str, rule: str, code: int
    ) -> None:
        answer = world.snapshot(option, rule, code=code)
        assert answer["state"] == "complete"
        assert answer["unmatched"] == ([rule] if code else [])
        told = world.plain("snapshot", "source", "-o", world.db, option, rule)
        assert (f"no object matches {rule}" in told.out) is bool(code)
        assert told.code == code

    @pytest.mark.parametrize("option", ["--include", "--exclude"])
    def test_a_rule_for_messages_that_were_carried_over(self, world: World, option: str) -> None:
        id_ = next(iter(next(iter(world.source.estate.messages.values()))))
        for _ in range(3):
            assert world.snapshot(option, f"message:{id_}")["unmatched"] == []

    def test_a_failed_listing_reports_nothing_about_filters(self, launch: Launch) -> None:
        down = FixedAnswer(is_listing("/assistants"), first=2, last=10**6, status=400, body={})
        world = launch(options("SOURCE_KEY", list_threads="works", downloads=True), wrap_source=down)
        answer = world.snapshot("--include", "assistant:Nope*", code=3)
        assert answer["unmatched"] == []

    def test_diff_and_export_report_it_too(self, world: World) -> None:
        world.snapshot()
        rules = ("--include", "assistant:Nope*")
        assert world("diff", world.db, "source", *rules).ok(1)["unmatched"] == ["assistant:Nope*"]
        assert "no object matches assistant:Nope*" in world.plain("diff", world.db, "source", *rules).out
        folder = str(world.folder / "configuration")
        assert world("export", world.db, folder, *rules).ok(1)["unmatched"] == ["assistant:Nope*"]
        fits = ("--include", "assistant:reader")
        assert world("diff", world.db, "source", *fits).ok()["unmatched"] == []
        assert world("export", world.db, folder, *fits).ok()["unmatched"] == []

    @pytest.mark.exhaustive(4)
    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ([], []),
            (["--threads", "none"], ["threads that no list of ids names (--threads none)"]),
            (["--no-runs"], ["runs and their steps (--no-runs)"]),
            (["--no-bytes"], ["bytes of files (--no-bytes)"]),
            (["--include", "assistant:reader"], ["every assistant but reader (--include)"]),
            (["--exclude", "assistant:reader"], ["assistant reader (--exclude)"]),
            (["--exclude", "message:*"], ["every message"]),
            (["--shard", "1/1", "--tag", "t"], ["the shares other than 1/1"]),
            (
                ["--no-runs", "--no-bytes", "--exclude", "file:notes*", "--exclude", "file:sales*"],
                [
                    "runs and their steps (--no-runs)",
                    "bytes of files (--no-bytes)",
                    "file notes*, sales* (--exclude)",
                ],
            ),
        ],
    )
    def test_a_list_of_snapshots_shows_what_was_left_out(
        self, world: World, asked: list[str], words: list[str]
    ) -> None:
        world.snapshot(*asked)
        (row,) = world("snapshots", world.db).ok()
        assert row["left_out"] == words
        text = world.plain("snapshots", world.db).out
        assert all(word in text for word in words)
        assert ("left out on purpose" in text) is bool(words)


class TestWhatWasBlocked:
    @pytest.fixture
    def world(self, launch: Launch) -> World:
        """A file without bytes blocks its store and its assistant; the rest moves."""
        made = launch(options("SOURCE_KEY", list_threads="works", downloads=True))
        furnish(made.source)
        made.snapshot("--no-bytes")
        return made

    def test_nobody_accepted_it_so_verify_is_not_green(self, world: World) -> None:
        plan = world("plan", world.db, "target", "-o", world.plan).ok(1)
        assert plan["actions"]["blocked"] > 0
        world.apply()
        answer = world("verify", world.plan).ok(1)
        assert answer["ok"] is False
        assert all("not accepted" in row["reason"] for row in answer["findings"]), answer["findings"]
        assert {row["kind"] for row in answer["findings"]} >= {"file"}

    def test_accepted_it_is_noted(self, world: World) -> None:
        world.planned()
        world.apply()
        answer: Any = world("verify", world.plan).ok()
        assert answer["ok"] is True
        assert any("blocked" in note for note in answer["notes"])
