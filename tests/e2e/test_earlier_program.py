"""An archive and two plans that an earlier version of the program made are read, checked, verified and rolled
back by this one.

`earlier/` holds what that version left: the archive with two snapshots, both plans as they were applied, and
what the emulated services held before and after. A plan names its archive by its full path and its target by
its address, so both are put where they were.
"""

from __future__ import annotations

import base64
import dataclasses
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from migrate.emulator.state import Children, Estate, Table
from tests.e2e.rounds import service
from tests.e2e.running import KEYS, World, world

Json = dict[str, Any]
KEPT = Path(__file__).parent / "earlier"
PLACE = Path("/tmp/assistants-migrate-earlier")  # as both plans have it
PORTS = (28416, 28417)  # of the source and the target, as the archive and both plans have them


class Bytes:
    """The content of one file, in memory."""

    def __init__(self, text: str) -> None:
        self._bytes = base64.b64decode(text)
        self.size = len(self._bytes)

    def chunks(self) -> Iterator[bytes]:
        yield self._bytes

    def read(self) -> bytes:
        return self._bytes

    def close(self) -> None:
        """Does nothing."""


def filled(estate: Estate, saved: Mapping[str, Any]) -> None:
    """Load a saved state into an estate."""
    for name, value in saved.items():
        held = getattr(estate, name)
        if name == "content":
            held.update({id_: Bytes(text) for id_, text in value.items()})
        elif isinstance(held, Children):
            for parent, rows in value.items():
                for id_, row in rows.items():
                    held[parent][id_] = row
        elif isinstance(held, (Table, dict)):
            for id_, row in value.items():
                held[id_] = row
        else:
            setattr(estate, name, value)


def plain(estate: Estate, saved: Mapping[str, Any]) -> Json:
    """The saved fields of an estate, without empty tables of parents."""
    found: Json = {}
    for name in saved:
        value = getattr(estate, name)
        if name == "content":
            value = {id_: base64.b64encode(blob.read()).decode() for id_, blob in value.items()}
        elif isinstance(value, Children):
            value = {parent: rows for parent, rows in value.items() if rows}
        found[name] = value
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


@contextmanager
def earlier() -> Iterator[tuple[World, Json]]:
    """The folder and the services as the earlier version left them, for one test at a time."""
    saved = json.loads((KEPT / "target.json").read_text(encoding="utf-8"))
    with PLACE.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(PLACE, ignore_errors=True)
        shutil.copytree(KEPT, PLACE)
        types = ("azure-openai", "foundry")
        source, target = (
            dataclasses.replace(service(key, type_), port=port)
            for key, type_, port in zip(KEYS, types, PORTS, strict=True)
        )
        with world(PLACE, source, target, types=types) as made:
            filled(made.source.estate, json.loads((KEPT / "source.json").read_text(encoding="utf-8")))
            filled(made.target.estate, saved["after"])
            made.begin()
            yield made, saved
        shutil.rmtree(PLACE)


def test_what_an_earlier_version_made_is_read_checked_verified_and_rolled_back() -> None:
    with earlier() as (made, saved):
        assert made("check", made.db).ok()["damage"] == []
        assert len(made("snapshots", made.db).ok()) == 2
        assert made("diff", f"{made.db}@1", f"{made.db}@2").ok(1)["changes"]
        plans = [str(PLACE / f"plan{number}.json") for number in (1, 2)]
        assert made("verify", plans[1]).ok()["findings"] == []
        assert made("apply", plans[1], "--yes").ok()["failed"] == []
        assert made.target.estate.forbidden_calls == []
        before = saved["before"]
        assert plain(made.target.estate, before) != before, "there is something to take back"
        for plan in reversed(plans):
            made("rollback", plan, "--yes").ok()
        # A service keeps the counters of agent versions and ids; they cannot be rolled back.
        left = plain(made.target.estate, before)
        kept = ("files", "content", "vector_stores", "agents", "conversations", "threads", "assistants")
        assert {name: left[name] for name in kept} == {name: before[name] for name in kept}


def test_an_earlier_archive_takes_another_snapshot_and_a_new_plan_changes_nothing() -> None:
    with earlier() as (made, _):
        assert made("snapshot", "source", "-o", made.db).ok()["snapshot"] == 3
        made("check", made.db).ok()
        plan = str(PLACE / "plan3.json")
        actions = made("plan", made.db, "target", "-o", plan, "--accept-loss", "all").ok()["actions"]
        assert {name for name, number in actions.items() if number} == {"skip"}
        made("apply", plan, "--yes").ok()
        assert made("verify", plan).ok()["findings"] == []
