"""Where the runs of a thread belong between its messages, found without reading the whole thread.

Messages, runs and steps are stored oldest first (`endpoints/http/list_order.py`), the steps run by run. So
the runs that belong to a window of messages are found by their times, with few reads, and neighbouring
windows have each run exactly once. A run is placed before its first own message, otherwise before the first
message that is younger. Where the times of a listing do not rise, a run may be elsewhere, but in every order
each run and each step is in some window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.model.entity import creation_time
from migrate.model.member_limit import MemberLimit
from migrate.model.results.archive import StoredBody
from migrate.model.results.conversation import RunRecord, RunStep
from migrate.stages.query.bounded_bodies import BoundedBodies
from migrate.stages.query.message_parts import as_text
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.run_records import read_run, read_step

# Messages and runs around a place that are looked at for an own run: several may be of one second.
NEIGHBOURS = 20
NO_TIME = -1.0
# Where the bodies of a conversation are limited: runs at one place, and characters of the steps that are read
# for a window of messages or for the runs at the end.
MAX_RUNS_AT_ONE_PLACE, MAX_STEP_CHARS = 100, 1_000_000


def message_after_run(snapshot: SnapshotReader, thread: str, run: str) -> int:
    """The number of the message before which a run is shown, from 1; the last one for a run after it; 0 where
    the thread has no such run, or no message."""
    listing = snapshot.listing_by_place("run", thread)
    places = listing.places_of(storable_text(run)) if listing else []
    if not places:
        return 0
    messages = BoundedBodies(snapshot.listing_bodies("message", thread), None)
    return ThreadRuns(snapshot, thread, messages, NamedObjects(snapshot)).message_after(places[0])


def _time(body: StoredBody) -> float:
    return creation_time(body, NO_TIME)


def _run_id(body: StoredBody) -> str:
    return as_text(body.get("run_id"))


class PlacedRuns(NamedTuple):
    """The runs at one place of a thread, and in words what was not read of them, or ''."""

    runs: tuple[RunRecord, ...]
    left_out: str = ""


@dataclass
class ThreadRuns:
    """The runs of one thread, next to its messages. `limit`: of members of bodies; None for no limit at all,
    neither of runs nor of steps."""

    snapshot: SnapshotReader
    thread: str
    messages: BoundedBodies
    named: NamedObjects
    limit: MemberLimit | None = None
    _runs: BoundedBodies = field(init=False)
    _steps: BoundedBodies = field(init=False)

    def __post_init__(self) -> None:
        self._runs = BoundedBodies(self.snapshot.listing_bodies("run", self.thread), self.limit)
        self._steps = BoundedBodies(self.snapshot.listing_bodies("run_step", self.thread), self.limit)

    @property
    def newest_assistant_ids(self) -> list[str]:
        """The assistants of the newest runs, newest first."""
        places = range(len(self._runs) - 1, max(-1, len(self._runs) - 1 - NEIGHBOURS), -1)
        return [as_text(self._runs.read(place).get("assistant_id")) for place in places]

    def trailing(self) -> PlacedRuns:
        """The runs after the last message."""
        first, last = self._place_before(len(self.messages)), len(self._runs)
        steps = self._steps_between(first, last, to_end=True)
        placed, rest = self._placed(first, last, steps), self._unlisted(steps)
        return PlacedRuns((*placed.runs, *rest.runs), _joined(placed.left_out, rest.left_out, steps.left_out))

    def window(self, start: int, end: int) -> Iterator[PlacedRuns]:
        """For each message from place `start` to `end`, counted from 0: the runs before it."""
        run, last = self._place_before(start), self._place_before(end)
        steps = self._steps_between(run, last, to_end=False)
        for place in range(start, end):
            is_end = place == end - 1
            after = last if is_end else self._first_run_after(self.messages.read(place), run, last)
            placed = self._placed(run, after, steps)
            if is_end:  # steps of runs that are not listed, too
                rest = self._unlisted(steps)
                left_out = _joined(placed.left_out, rest.left_out, steps.left_out)
                placed = PlacedRuns((*placed.runs, *rest.runs), left_out)
            run = max(run, after)
            yield placed

    def message_after(self, run: int) -> int:
        """The number of the message before which the run at a place is shown, at most the last one."""
        count = len(self.messages)
        return min(_first_place(count, lambda n: self._place_before(n + 1) > run) + 1, count)

    def _first_run_after(self, message: StoredBody, first: int, last: int) -> int:
        """The place of the first run after a message, from a place on."""
        after = place = first
        while place < last and place < after + NEIGHBOURS:
            if self._is_before(self._runs.read(place), message):
                after = place + 1
            place += 1
        return after

    def _is_before(self, run: StoredBody, message: StoredBody) -> bool:
        return _time(run) < _time(message) or as_text(run.get("id")) == _run_id(message) != ""

    def _place_before(self, message: int) -> int:
        """The place of the first run that is not before the messages before this place."""
        if not message or not len(self._runs):
            return 0
        time = _time(self.messages.read(message - 1))
        place = _first_place(len(self._runs), lambda n: _time(self._runs.read(n)) >= time)
        if place == len(self._runs):
            return place
        before = range(max(0, message - NEIGHBOURS), message)
        own = {id_ for n in before if (id_ := _run_id(self.messages.read(n)))}
        near = range(place, min(place + NEIGHBOURS, len(self._runs)))
        return max((n + 1 for n in near if as_text(self._runs.read(n).get("id")) in own), default=place)

    def _placed(self, first: int, last: int, steps: _StepsByRun) -> PlacedRuns:
        """The runs from one place to another with their steps, which are taken out of `steps`."""
        end = last if self.limit is None else min(last, first + MAX_RUNS_AT_ONE_PLACE)
        runs = []
        for place in range(first, end):
            run = self._runs.read(place)
            runs.append(read_run(run, steps.take(as_text(run.get("id"))), self.named.assistant_name))
        if (
            end < last and steps.by_run
        ):  # they belong to runs that are not shown: they are no runs by themselves
            for place in range(end, last):
                steps.take(as_text(self._runs.read(place).get("id")))
        left_out = f"{last - end:,} more runs" if end < last else ""
        return PlacedRuns(tuple(runs), left_out)

    def _unlisted(self, steps: _StepsByRun) -> PlacedRuns:
        """The runs of which there are only steps."""
        records = [RunRecord(id_, steps=tuple(rest)) for id_, rest in steps.by_run.items()]
        shown = records if self.limit is None else records[:MAX_RUNS_AT_ONE_PLACE]
        more = len(records) - len(shown)
        return PlacedRuns(tuple(shown), f"steps of {more:,} more runs" if more else "")

    def _steps_between(self, first: int, last: int, to_end: bool) -> _StepsByRun:
        """The steps of the runs from one place to another."""
        steps = _StepsByRun()
        end = len(self._steps) if to_end else self._step_place(last)
        room, members = MAX_STEP_CHARS, 0
        for place in range(self._step_place(first), end):
            step, chars, left_out = self._steps.measure(place)
            room -= chars
            if self.limit is not None and room < 0 and steps.by_run:
                steps.left_out = _joined(_more_values(members), f"{end - place:,} more steps of runs")
                return steps
            members += left_out
            steps.by_run.setdefault(_run_id(step), []).append(read_step(step, self.named.file))
        steps.left_out = _more_values(members)
        return steps

    def _step_place(self, run: int) -> int:
        """The place of the first step that belongs to a run at this place or a later one."""
        if not run or not len(self._steps):
            return 0
        if run >= len(self._runs):
            return len(self._steps)
        time, id_ = _time(self._runs.read(run)), as_text(self._runs.read(run).get("id"))
        place = _first_place(len(self._steps), lambda n: _time(self._steps.read(n)) >= time)
        earlier = {as_text(self._runs.read(n).get("id")) for n in range(max(0, run - NEIGHBOURS), run)}
        while place and _run_id(self._steps.read(place - 1)) == id_:
            place -= 1
        while place < len(self._steps) and _run_id(self._steps.read(place)) in earlier:
            place += 1
        return place


def _first_place(count: int, is_reached: Callable[[int], bool]) -> int:
    """The first of `count` places that is reached, where all after it are reached too; `count` for none."""
    return bisect_left(range(count), True, key=is_reached)


@dataclass
class _StepsByRun:
    """Id of a run -> its steps. `left_out`: in words what was not read of them."""

    by_run: dict[str, list[RunStep]] = field(default_factory=dict)
    left_out: str = ""

    def take(self, run: str) -> list[RunStep]:
        """The steps of a run, which are removed from here."""
        return self.by_run.pop(run, [])


def _more_values(count: int) -> str:
    return f"{count:,} more values of steps" if count else ""


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))
