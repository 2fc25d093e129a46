"""A restore from a snapshot that could not read something: it says so, and never looks complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.faults import FixedAnswer
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world

Json = dict[str, Any]
NEVER_LAST = 10**9


@dataclass
class Refused:
    """Which lists are answered with an error: those whose path ends with this."""

    path: str = ""

    def __call__(self, method: str, path: str, _: str) -> bool:
        return bool(self.path) and method == "GET" and path.endswith(self.path)


@contextmanager
def unreliable(folder: Path, type_: str, elsewhere: bool = False) -> Iterator[tuple[World, Refused]]:
    """An estate of which some lists can be refused for a time. `elsewhere`: the target is another place."""
    refused = Refused()
    one = service("SOURCE_KEY", type_)
    other = service("TARGET_KEY", type_) if elsewhere else one
    fault = FixedAnswer(refused, last=NEVER_LAST, status=500, body={"error": {"message": "not now"}})
    with world(folder, one, other, types=(type_, type_), wrap_source=fault) as made:
        furnish(made.source, type_)
        yield made, refused


def snapshot_without(made: World, refused: Refused, path: str) -> None:
    """A snapshot, and afterwards a service that answers everything again."""
    refused.path = path
    made.snapshot(code=3)
    refused.path = ""


def a_thread(made: World, type_: str) -> tuple[str, int, str]:
    """A thread with messages: its id, their number, and the path of their list."""
    estate = made.source.estate
    table = estate.items if type_ == "foundry" else estate.messages
    thread = next(id_ for id_, rows in table.items() if rows)
    return thread, len(table[thread]), f"/{thread}/{'items' if type_ == 'foundry' else 'messages'}"


def message_losses(result: Json, thread: str) -> list[Json]:
    return [r for r in result["losses"] if (r["kind"], r["id"], r["field"]) == ("thread", thread, "messages")]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_messages_that_were_not_read_are_not_said_to_be_added(type_: str, tmp_path: Path) -> None:
    with unreliable(tmp_path, type_) as (made, refused):
        thread, number, path = a_thread(made, type_)
        snapshot_without(made, refused, path)
        asked = len(made.target.requests)
        (row,) = message_losses(made("restore", made.db, "--yes").ok(1), thread)
        assert made.writes(asked) == []
        assert (row["grade"], row["accepted"]) == ("lost", False)
        assert "not read to the end" in row["reason"]
        assert f"could not read {number} that are there now" in row["reason"]
        assert "added" not in row["reason"]


def test_messages_that_arrived_and_were_not_read_later_are_not_said_to_be_gone(tmp_path: Path) -> None:
    with unreliable(tmp_path, "openai", elsewhere=True) as (made, refused):
        made.snapshot()
        made.planned()
        made.apply().ok()
        thread, number, path = a_thread(made, "openai")
        snapshot_without(made, refused, path)
        reasons = [row["reason"] for row in message_losses(made.planned(), thread)]
        assert f"{number} that the snapshot could not read stay on the target" in reasons
        assert not [reason for reason in reasons if "no longer has" in reason]


AGENT_LISTS = {"foundry": "/agents", "openai": "/assistants"}


@pytest.mark.parametrize("type_", AGENT_LISTS)
def test_a_kind_that_could_not_be_listed_makes_a_restore_incomplete(type_: str, tmp_path: Path) -> None:
    with unreliable(tmp_path, type_) as (made, refused):
        snapshot_without(made, refused, AGENT_LISTS[type_])
        again = ("restore", made.db, "--accept-loss", "all", "--yes")
        for selection in ((), ("--exclude", "file:*"), ("--include", "file:*", "--include", "assistant:*")):
            result = made(*again, *selection).ok(3)
            assert [note for note in result["notes"] if "could not list all assistants" in note]
            assert result["unread_kinds"] == ["assistant"]
        said = made.plain(*again)
        assert said.code == 3
        assert "could not list all assistants" in said.out
        assert said.out.endswith("nothing was written\n")


def test_what_is_selected_and_was_listed_is_complete(tmp_path: Path) -> None:
    """Single ids need no list; neither does a kind that is not selected, or is excluded."""
    with unreliable(tmp_path, "openai") as (made, refused):
        snapshot_without(made, refused, "/assistants")
        file = next(iter(made.source.estate.files))
        again = ("restore", made.db, "--accept-loss", "all", "--yes")
        for selection in (
            ("--id", file),
            ("--include", "file:*"),
            ("--after", "2000-01-01"),
            ("--exclude", "assistant:*"),
        ):
            result = made(*again, *selection).ok(0)
            assert (result["unread_kinds"], result["notes"]) == ([], [])


def test_nothing_of_a_kind_that_could_not_be_listed_is_no_empty_selection(tmp_path: Path) -> None:
    with unreliable(tmp_path, "openai") as (made, refused):
        snapshot_without(made, refused, "/assistants")
        made("restore", made.db, "--include", "assistant:*", "--yes").error(
            3, "matches --include assistant:*"
        )
        made("restore", made.db, "--include", "file:nobody", "--yes").error(
            1, "matches --include file:nobody"
        )
