"""A plan and an assessment: what will be done to a target, and every loss."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Literal

import pydantic.dataclasses
from pydantic import BaseModel, ConfigDict, Field

from migrate.model.estate_location import EstateLocation
from migrate.model.known_secrets import redact
from migrate.model.normalize import json_digest
from migrate.model.served_version import NEWEST_VERSION, SERVED_VERSION

ActionName = Literal["create", "update", "delete", "adopt", "skip", "blocked"]


CLOSED_MODEL = ConfigDict(extra="forbid")
"""Unknown keys are an error: a plan says exactly what will be done. What there is one of for each object is a
record with slots: a model takes five times the memory."""


class StrictModel(BaseModel):
    """A part of which there is one."""

    model_config = ConfigDict(**CLOSED_MODEL, frozen=True)


class SourceSide(StrictModel):
    """Where the objects come from: an archive's snapshot, and its fingerprint when planned."""

    archive: str
    snapshot: int
    type: str
    url: str
    digest: str
    state: str


class TargetSide(StrictModel):
    """Where they go. `estate` is the argument as it was given; no secret is ever here. `objects` is what
    lay there when planned: kind, parent, id and fingerprint of each; `digest` is of all of them."""

    estate: str
    type: str
    url: str
    api_version: str
    digest: str
    objects: tuple[tuple[str, str, str, str], ...] = ()


@pydantic.dataclasses.dataclass(frozen=True, slots=True, config=CLOSED_MODEL)
class Action:
    """What happens to one object. `before`: fingerprint of the target's object that is changed.
    `target_name`: the address that a new object gets, where names are addresses.
    `messages`: how many are appended to a thread, behind the `standing` ones; `fields`: what an update
    writes, and nothing else is written; `left`: what differs and stays as it is, each told as a loss;
    `order`: ids of a thread's messages as they stand on the target and are appended, where the source lists
    them otherwise by now."""

    action: ActionName
    kind: str
    id: str
    parent: str = ""
    name: str = ""
    target_id: str = ""
    target_parent: str = ""
    target_name: str = ""
    before: str = ""
    fields: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    messages: int = 0
    standing: int = 0
    order: tuple[str, ...] = ()


@pydantic.dataclasses.dataclass(frozen=True, slots=True, config=CLOSED_MODEL)
class LossRow:
    """One thing that will not arrive as it was; `accepted` when --accept-loss named it."""

    kind: str
    id: str
    field: str
    grade: Literal["adapted", "lost", "blocked"]
    reason: str
    way_out: str = ""
    parent: str = ""
    name: str = ""
    accepted: bool = False


@dataclass(frozen=True)
class TargetSettings:
    """What a plan settled about a target, and what applying and verifying must not decide anew.

    `in_place`: (kind, id) of objects that the target holds already under the same id. Everything else is
    as in `Target`.
    """

    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    deployments: frozenset[str] | None = None
    connections_there: frozenset[str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    reasoning: frozenset[str] = frozenset()
    bytes_later: bool = False
    unseen: str = ""
    """Why deployments could not be listed."""
    in_place: frozenset[tuple[str, str]] = frozenset()
    rewrite_ids: bool = False
    """Ids of the source in texts are replaced by the new ones."""
    agent_version: str = NEWEST_VERSION
    """Which version of an agent is moved: the newest, or the one that is served."""
    place: EstateLocation | None = None
    """Where the source lies, if the target is another place."""
    absent: frozenset[str] = frozenset()
    """Kinds that the target does not have any more."""
    arrived: frozenset[tuple[str, str]] = frozenset()
    """(kind, id) of objects that the source no longer has, and that stand on the target: what named them when
    they arrived names them still."""
    further: tuple[tuple[str, str, str], ...] = ()
    """Kind and id of second copies of one origin, and the id of the origin on the target: as in `Known`."""


class TargetSettingsRow(StrictModel):
    """What was decided about the target when it was planned: applying and verifying see the same."""

    models: dict[str, str]
    connections: dict[str, str] = {}
    deployments: tuple[str, ...] | None = None
    connections_there: tuple[str, ...] | None = None
    names: dict[str, str] = {}
    reasoning: tuple[str, ...] = ()
    in_place: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    rewrite_ids: bool = False
    agent_version: Literal["newest", "served"] = "newest"
    arrived: tuple[tuple[str, str], ...] = ()
    further: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def of(cls, decided: TargetSettings) -> TargetSettingsRow:
        """For the file."""
        return cls(
            models=dict(decided.models),
            connections=dict(decided.connections),
            deployments=_sorted(decided.deployments),
            connections_there=_sorted(decided.connections_there),
            names=dict(decided.names),
            reasoning=tuple(sorted(decided.reasoning)),
            in_place=tuple(sorted(decided.in_place)),
            absent=tuple(sorted(decided.absent)),
            rewrite_ids=decided.rewrite_ids,
            agent_version="served" if decided.agent_version == SERVED_VERSION else "newest",
            arrived=tuple(sorted(decided.arrived)),
            further=decided.further,
        )

    def decided(self) -> TargetSettings:
        """For the rules."""
        return TargetSettings(
            self.models,
            self.connections,
            None if self.deployments is None else frozenset(self.deployments),
            None if self.connections_there is None else frozenset(self.connections_there),
            self.names,
            frozenset(self.reasoning),
            in_place=frozenset(self.in_place),
            absent=frozenset(self.absent),
            rewrite_ids=self.rewrite_ids,
            agent_version=self.agent_version,
            arrived=frozenset(self.arrived),
            further=self.further,
        )


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


class Plan(StrictModel):
    """What will be done, what will be lost, and what both sides looked like."""

    format: int
    created_at: str
    nonce: str = Field(default_factory=lambda: token_hex(8))
    """Makes every plan another one, also of the same second."""
    source: SourceSide
    target: TargetSide
    settled: TargetSettingsRow
    actions: tuple[Action, ...]
    losses: tuple[LossRow, ...]
    staying: tuple[tuple[str, str, str], ...] = ()
    """Kind, parent and id on the target of what we made, the source no longer has, and this plan leaves."""
    unread: tuple[str, ...] = ()
    expected_gaps: int = 0
    """Files of the source whose bytes its service never gives back."""
    hidden: tuple[str, ...] = ()
    """What of its objects the source's service refuses to show, so that no archive has it."""
    digest: str = ""

    def counts(self) -> dict[str, int]:
        """How many objects each action concerns; messages count one by one."""
        names: tuple[ActionName, ...] = ("create", "update", "delete", "adopt", "skip", "blocked")
        total: dict[str, int] = dict.fromkeys(names, 0)
        for row in self.actions:
            total[row.action] += 1
            total["create"] += row.messages
        return total

    @property
    def changes_target(self) -> bool:
        """Whether applying it sends anything that changes the target."""
        return any(row.action in ("create", "update", "delete") or row.messages for row in self.actions)

    def sealed(self) -> Plan:
        """The plan without secrets of this run, and with its own fingerprint."""
        text = json.dumps(self.model_dump(), ensure_ascii=True)
        hidden = redact(text)
        plan = self if hidden == text else Plan.model_validate(json.loads(hidden))
        return plan.model_copy(update={"digest": plan.fingerprint()})

    def fingerprint(self) -> str:
        """Of everything but the fingerprint itself."""
        return json_digest(self.model_dump(exclude={"digest"}))


ASSESS_GRADES = ("kept", "adapted", "lost", "blocked")


@dataclass(frozen=True)
class FieldOutcome:
    """A field that arrives as it is."""

    kind: str
    id: str
    field: str
    parent: str = ""
    name: str = ""


@dataclass
class Assessment:
    """`kept` names the fields of all objects but messages, which are only counted; `kinds` counts fields
    by kind and grade."""

    source: str
    target: str
    losses: tuple[LossRow, ...]
    unread: tuple[str, ...]
    kept: list[FieldOutcome] = field(default_factory=list)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    expected_gaps: int = 0
    """Files of the source whose bytes its service never gives back."""
    hidden: tuple[str, ...] = ()
    """What of its objects the source's service refuses to show, so that no archive has it."""

    @property
    def totals(self) -> dict[str, int]:
        """Fields by grade."""
        return {grade: sum(counts[grade] for counts in self.kinds.values()) for grade in ASSESS_GRADES}
