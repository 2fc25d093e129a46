"""Ctrl-C and SIGTERM: every command that writes lists what it did and what is left, and continues."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from migrate.model.results.apply import NOT_ROLLED_BACK
from tests.e2e.projects import file, say, thread
from tests.e2e.rounds import furnish, service
from tests.e2e.running import World, world
from tests.e2e.test_drill import content, mark_scratch

Json = dict[str, Any]
TYPES = ("azure-openai", "openai")
# More messages than one request brings: the others follow one by one.
NEW_THREADS, MESSAGES = 12, 36
SOON_S = 30.0
WORKERS = 3


@dataclass
class SlowWrites:
    """Stands before a service: every write takes a moment, and the one of a number is noted."""

    delay_s: float = 0.0
    at: int = 0
    writes: int = 0
    reached: threading.Event = field(default_factory=threading.Event)

    def arm(self, at: int) -> None:
        self.reached.clear()
        self.writes, self.at, self.delay_s = 0, at, 0.05

    def calm(self) -> None:
        self.at, self.delay_s = 0, 0.0

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] != "GET":
                self.writes += 1
                if self.writes == self.at:
                    self.reached.set()
                await asyncio.sleep(self.delay_s)
            await app(scope, receive, send)

        return wrapped


@dataclass(frozen=True)
class Ended:
    """How a process ended that was stopped."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.out)
        return found


def stopped(made: World, slow: SlowWrites, at: int, how: signal.Signals, *command: str) -> Ended:
    """Run a command in a process of its own, and send it a signal when its write number `at` is under way."""
    slow.arm(at)
    process = made.popen(*command, "--workers", str(WORKERS))
    try:
        assert slow.reached.wait(SOON_S), "it never came so far"
        process.send_signal(how)
        process.send_signal(how)  # some press a key twice; and some programs forward it, too
        out, err = process.communicate(timeout=SOON_S)
    finally:
        process.kill()
    slow.calm()
    assert "Traceback" not in err, err
    made.keeps_secrets(out + err)
    assert process.returncode == 3, err
    return Ended(process.returncode, out, err)


@contextmanager
def moved_once(folder: Path, slow: SlowWrites) -> Iterator[World]:
    """An estate that was moved; since then an assistant changed, and a file and many threads came."""
    ends = service("SOURCE_KEY", TYPES[0]), service("TARGET_KEY", TYPES[1])
    with world(folder, *ends, types=TYPES, wrap_target=slow) as made:
        furnish(made.source, TYPES[0])
        row = next(iter(made.source.estate.assistants.values()))
        row["instructions"] = "From before."
        made("sync", "source", "target", "-o", made.db, "--accept-loss", "all").ok()
        row["instructions"] = "From today."
        file(made.source, 71, "new.txt", b"new")
        for number in range(NEW_THREADS):
            thread(made.source, 100 + number, [f"{number}: {place}" for place in range(MESSAGES)])
        say(made.source, next(iter(made.source.estate.threads)), "one more")
        yield made


def planned_again(made: World) -> None:
    made.snapshot()
    made.planned()


def keys(rows: list[Json]) -> set[tuple[str, str, str]]:
    return {(row["kind"], row["parent"], row["id"]) for row in rows}


def complete(work: Json, expected: int) -> None:
    """Both lists together are all that was to be done. Only threads that are half there are in both."""
    both = keys(work["done"]) & keys(work["left"])
    assert {kind for kind, _, _ in both} <= {"thread"}
    assert len(keys(work["done"]) | keys(work["left"])) == expected
    for row in [*work["done"], *work["left"]]:
        if row["kind"] == "thread" and row["action"] == "create":
            assert row["messages"] <= MESSAGES
    there = {row["id"]: row["messages"] for row in work["done"] if row["kind"] == "thread"}
    for row in work["left"]:
        if row["id"] in there and row["action"] == "create":
            assert there[row["id"]] + row["messages"] == MESSAGES


def as_it_is(made: World, work: Json) -> None:
    """What is said to be done is there, with as many messages, and what is left is not."""
    estate = made.target.estate
    for row in work["done"]:
        if row["action"] == "create" and row["kind"] == "thread":
            assert len(estate.messages[row["target_id"]]) == row["messages"]
        elif row["action"] == "create" and row["kind"] == "file":
            assert row["target_id"] in estate.files
    names = {text for table in estate.messages.values() for row in table.values() for text in texts(row)}
    for row in work["left"]:
        if row["kind"] == "thread" and row["action"] == "create" and row["messages"] == MESSAGES:
            number = int(row["id"].removeprefix("thread_")) - 100
            assert f"{number}: {MESSAGES - 1}" not in names


def texts(row: Json) -> list[str]:
    return [part["text"]["value"] for part in row["content"] if part["type"] == "text"]


@pytest.mark.parametrize(
    ("at", "how"), [(3, signal.SIGINT), (20, signal.SIGTERM)], ids=["at the update", "within the threads"]
)
def test_apply(tmp_path: Path, at: int, how: signal.Signals) -> None:
    slow = SlowWrites()
    with moved_once(tmp_path, slow) as made:
        planned_again(made)
        said = stopped(made, slow, at, how, "apply", made.plan, "--yes", "--json")
        assert "error: stopped; what was created until now is in the journal" in said.err
        assert "next: run the same apply again: it continues" in said.err
        work = said.json
        complete(work, NEW_THREADS + 3)
        as_it_is(made, work)
        if at > 10:
            both = keys(work["done"]) & keys(work["left"])
            assert both, "no thread is there in part"
        assert {(row["kind"], row["id"]) for row in work["failed"]} == {
            (row["kind"], row["id"]) for row in work["left"]
        }
        updates = [row for row in (*work["done"], *work["left"]) if row["kind"] == "assistant"]
        assert [row["change"]["values"] for row in updates] == [
            [{"path": "instructions", "left": "From before.", "right": "From today."}]
        ]
        assert work["changes"] == [row["change"] for row in work["left"] if row["change"]]
        assert made("applies", made.db).ok()[-1]["state"] == "incomplete"
        assert made.apply().ok()["done"] == []
        assert made("applies", made.db).ok()[-1]["state"] == "done"
        assert made("verify", made.plan).ok()["findings"] == []
        assert len(made.target.estate.threads) == len(made.source.estate.threads)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT])
def test_sync(tmp_path: Path, how: signal.Signals) -> None:
    slow = SlowWrites()
    with moved_once(tmp_path, slow) as made:
        command = ("sync", "source", "target", "-o", made.db, "--accept-loss", "all", "--json")
        said = stopped(made, slow, 8, how, *command)
        assert "next: run the same sync again: it continues" in said.err
        work = said.json["apply"]
        assert said.json["verify"] is None
        complete(work, NEW_THREADS + 3)
        as_it_is(made, work)
        assert made(*command).ok()["verify"]["findings"] == []
        assert len(made.target.estate.threads) == len(made.source.estate.threads)


@pytest.mark.parametrize("how", [signal.SIGTERM])
def test_restore(tmp_path: Path, how: signal.Signals) -> None:
    slow = SlowWrites()
    one = service("SOURCE_KEY", TYPES[0])
    with world(tmp_path, one, one, types=(TYPES[0], TYPES[0]), wrap_target=slow) as made:
        furnish(made.source, TYPES[0])
        for number in range(NEW_THREADS):
            thread(made.source, 100 + number, [f"{number}: {place}" for place in range(MESSAGES)])
        made.snapshot()
        estate = made.target.estate
        for id_ in [id_ for id_ in estate.threads if int(id_.removeprefix("thread_")) >= 100]:
            del estate.threads[id_], estate.messages[id_]
        kept = len(estate.threads)
        command = ("restore", made.db, "--yes", "--json")
        said = stopped(made, slow, 9, how, *command)
        assert "next: run the same restore again: it continues" in said.err
        work = said.json
        complete(work, NEW_THREADS)
        assert {row["source_id"]: row["target_id"] for row in work["ids"]} == {
            row["id"]: row["target_id"] for row in work["done"]
        }
        assert made(*command).ok()["findings"] == []
        assert len(estate.threads) == kept + NEW_THREADS
        assert made(*command).ok()["actions"]["create"] == 0


@pytest.mark.parametrize("how", [signal.SIGINT])
def test_rollback(tmp_path: Path, how: signal.Signals) -> None:
    slow = SlowWrites()
    with moved_once(tmp_path, slow) as made:
        planned_again(made)
        made.apply().ok()
        before = len(made.target.estate.threads)
        command = ("rollback", made.plan, "--yes")
        said = stopped(made, slow, 4, how, *command, "--json")
        assert "next: run the same rollback again: it continues" in said.err
        work = said.json
        assert work["done"]
        threads = {row["target_id"] for row in work["done"] if row["kind"] == "thread"}
        assert not threads & set(made.target.estate.threads)
        left = {row["target_id"] for row in work["left"] if row["kind"] == "thread"}
        assert len(left) > 5
        assert len(keys(work["done"]) | keys(work["left"])) == NEW_THREADS + 3
        assert {row["reason"] for row in work["failed"]} == {NOT_ROLLED_BACK}
        restored = [row for row in (*work["done"], *work["left"]) if row["kind"] == "assistant"]
        assert [row["change"]["values"] for row in restored] == [
            [{"path": "instructions", "left": "From today.", "right": "From before."}]
        ]
        assert made(*command).ok()["failed"] == []
        assert len(made.target.estate.threads) == before - NEW_THREADS


def test_the_text_says_the_same(tmp_path: Path) -> None:
    slow = SlowWrites()
    with moved_once(tmp_path, slow) as made:
        planned_again(made)
        lines = stopped(made, slow, 2, signal.SIGINT, "apply", made.plan, "--yes").out.splitlines()
        heads = [line.split(": ")[0] for line in lines if line[0] != " "]
        assert heads[1:] == ["done", "left"]
        assert any("From [-before-]{+today+}." in line for line in lines)
        left = next(place for place, line in enumerate(lines) if line.startswith("left: "))
        assert any(f"  (with {MESSAGES} messages)" in line for line in lines[left:])


@pytest.mark.parametrize(("before_the_end", "step"), [(0, "restore"), (8, "remove")])
def test_drill(tmp_path: Path, before_the_end: int, step: str) -> None:
    """What the requests under way removed is not proved to be gone: it still counts as left behind."""
    slow = SlowWrites()
    ends = service("SOURCE_KEY", TYPES[0]), service("TARGET_KEY", TYPES[0])
    with world(tmp_path, *ends, wrap_target=slow) as made:
        furnish(made.source, TYPES[0])
        made.snapshot()
        mark_scratch(made)
        command = ("drill", made.db, "--to", "target", "--accept-loss", "all", "--json")
        made(*command).ok()
        at = slow.writes - before_the_end if before_the_end else 10
        said = stopped(made, slow, at, signal.SIGTERM, *command)
        assert "next: run the same drill again: it first removes what this one left in target" in said.err
        work = said.json
        assert (work["ok"], work["stopped"]) == (False, step)
        assert work["done"]
        assert work["left"]
        assert [row["step"] for row in work["steps"]][-1] == step
        left = {row["id"] for row in work["left_behind"]}
        there = {line.split(": ")[1] for line in content(made.target)}
        assert len(left & there) > 3
        assert len(left - there) <= WORKERS
        assert there - left <= {key for name in ("messages",) for key in getattr(made.target.estate, name)}
        assert made(*command).ok()["removed_before"] > 3
        assert content(made.target) == []
