"""A plan and an assessment: what will be done to a target, and every loss."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Annotated, Literal, TypeVar

import pydantic.dataclasses
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from migrate.model.entity import JSON, EntityKey
from migrate.model.known_secrets import redact
from migrate.model.normalize import json_digest
from migrate.model.results.cost import Cost
from migrate.model.results.retirements import Retiring
from migrate.model.selection import Selection

ActionName = Literal["create", "update", "delete", "adopt", "skip", "blocked"]


# Unknown keys are an error, so that nothing in a plan file is silently ignored.
CLOSED_MODEL = ConfigDict(extra="forbid")


class StrictModel(BaseModel):
    """A part of the plan file that occurs once. Parts that occur once per object are dataclasses with slots:
    a pydantic model needs five times the memory."""

    model_config = ConfigDict(**CLOSED_MODEL, frozen=True)


class SourceSide(StrictModel):
    """The source of a plan: a snapshot in an archive, and its fingerprint when the plan was made."""

    archive: str
    snapshot: int
    type: str
    url: str
    digest: str
    state: str


class TargetSide(StrictModel):
    """The target of a plan. `estate`: the argument as it was given, never a secret. `objects`: what the
    target contained when the plan was made, as (kind, parent, id, fingerprint); `digest` covers all of
    them."""

    estate: str
    type: str
    url: str
    api_version: str
    digest: str
    objects: tuple[tuple[str, str, str, str], ...] = ()


@pydantic.dataclasses.dataclass(frozen=True, slots=True, config=CLOSED_MODEL)
class Action:
    """What is done with one object.

    `before`: fingerprint of the target's object before it is changed. `target_name`: the name of a new object
    on services that address objects by name. `messages`: how many are appended to a thread, after the
    `standing` ones. `fields`: the only fields that an update writes. `left`: fields that differ and are not
    written; each is reported as a loss. `order`: ids of a thread's messages in the order of the target, if
    the source lists them differently by now."""

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
    # Kind and id of the selected object that needs this one, which was not selected itself.
    needed_by: str = ""
    # (kind, id on the target that is gone) of objects that come back under another id: an update of an
    # existing object that changes nothing but these references.
    relinks: tuple[tuple[str, str], ...] = ()


@pydantic.dataclasses.dataclass(frozen=True, slots=True, config=CLOSED_MODEL)
class LossRow:
    """A field that does not reach the target unchanged. `accepted`: --accept-loss accepts it. `known`: an
    earlier move reported it, and its object did not change since."""

    kind: str
    id: str
    field: str
    grade: Literal["adapted", "lost", "blocked"]
    reason: str
    way_out: str = ""
    parent: str = ""
    name: str = ""
    accepted: bool = False
    known: bool = False


@pydantic.dataclasses.dataclass(frozen=True, slots=True, config=CLOSED_MODEL)
class PathChange:
    """What changes at one path of an object: its value on the target today, and what is written (None:
    absent). Without credentials; long values are shortened."""

    path: str
    left: JSON = None
    right: JSON = None


@pydantic.dataclasses.dataclass(frozen=True, slots=True, config=CLOSED_MODEL)
class ChangeRow:
    """What an update changes in one object, or would change in one that others changed.

    Left is the target today, as in a `diff` of target and source; `right_id` and `right_parent` are ids of
    the source. `conflict`: others changed it since the last move; what the plan does about that."""

    kind: str
    left_id: str
    right_id: str
    name: str = ""
    paths: tuple[PathChange, ...] = ()
    left_parent: str = ""
    right_parent: str = ""
    conflict: Literal["", "overwritten", "kept", "created beside"] = ""

    @property
    def key(self) -> EntityKey:
        """Kind, parent and id on the source."""
        return (self.kind, self.right_parent, self.right_id)


def unaccepted_losses(rows: Iterable[LossRow]) -> list[LossRow]:
    """Losses that the user did not accept and that no earlier move reported. Blocked objects always count."""
    return [
        row
        for row in rows
        if row.grade != "adapted" and not row.accepted and not (row.known and row.grade != "blocked")
    ]


_T = TypeVar("_T", str, tuple[str, str])
# A set that is written as a sorted list, so that equal plans have equal fingerprints.
SortedSet = Annotated[frozenset[_T], PlainSerializer(lambda members: tuple(sorted(members)))]


class TargetSettings(StrictModel):
    """What was decided about a target when the plan was made; `apply` and `verify` use it unchanged.

    Most fields are described in `Target`."""

    models: dict[str, str]
    connections: dict[str, str] = {}
    deployments: SortedSet[str] | None = None
    connections_there: SortedSet[str] | None = None
    names: dict[str, str] = {}
    reasoning: SortedSet[str] = frozenset()
    # (kind, id) of objects that source and target share: the target has them under the same id, so none
    # is created.
    in_place: SortedSet[tuple[str, str]] = frozenset()
    # Kinds that the target no longer supports.
    absent: SortedSet[str] = frozenset()
    # Ids of the source inside texts are replaced by the new ones.
    rewrite_ids: bool = False
    # Which version of an agent is moved: the newest one, or the one that its endpoint serves.
    agent_version: Literal["newest", "served"] = "newest"
    # (kind, id) of objects that an earlier apply created or adopted, that the source no longer has and the
    # target still has: references to them are kept.
    arrived: SortedSet[tuple[str, str]] = frozenset()
    # Kind and id of second copies of one source object, and the id on the target of its first copy.
    further: tuple[tuple[str, str, str], ...] = ()
    # Whether citations are written. Earlier plans reported all of them as lost.
    citations: bool = False
    # Of a restore: ids of assistants of the source that the target has, so that others can refer to them.
    present_assistants: SortedSet[str] = frozenset()


class SelectionRow(StrictModel):
    """`Selection` as it is stored in the plan file."""

    include: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    exclude: tuple[tuple[str, str], ...] = ()
    after: int | None = None
    before: int | None = None
    meta: tuple[tuple[str, str], ...] = ()
    dependencies: bool = True

    @classmethod
    def of(cls, selection: Selection) -> SelectionRow | None:
        """Convert a selection for the plan file; None where it selects everything."""
        return None if selection.is_whole else cls(**{n: getattr(selection, n) for n in cls.model_fields})

    def selection(self) -> Selection:
        """The selection as stages need it."""
        return Selection(**self.model_dump())


# Fields of a plan, of its actions and of its settings that earlier plans do not have, each with its default.
# At its default a field is not part of the fingerprint, so that plans of earlier versions stay valid.
LATER_PLAN_FIELDS: Mapping[str, JSON] = {
    "restore": "",
    "selection": None,
    "unknown_ids": (),
    "selection_notes": (),
    "other_snapshots": (),
    "left_out": (),
    "retiring": None,
    "changes": (),
    "replaced_ids": (),
    "cost": None,
    "accepted_fields": (),
    "unread_kinds": (),
}
LATER_ACTION_FIELDS: Mapping[str, JSON] = {"needed_by": "", "relinks": ()}
LATER_SETTINGS_FIELDS: Mapping[str, JSON] = {"citations": False, "present_assistants": ()}
LATER_LOSS_FIELDS: Mapping[str, JSON] = {"known": False}


class Plan(StrictModel):
    """What will be done, what will be lost, and the state of both sides when the plan was made."""

    format: int
    created_at: str
    # Random, so that two plans of the same second have different digests.
    nonce: str = Field(default_factory=lambda: token_hex(8))
    source: SourceSide
    target: TargetSide
    settled: TargetSettings
    actions: tuple[Action, ...]
    losses: tuple[LossRow, ...]
    # (kind, parent, id) on the target of objects that this program created, that the source no longer has,
    # and that this plan does not delete.
    staying: tuple[tuple[str, str, str], ...] = ()
    unread: tuple[str, ...] = ()
    # Kinds of `unread` of which selected objects may be missing: the source could not list all of them.
    unread_kinds: tuple[str, ...] = ()
    # Files of the source whose bytes the service never returns.
    expected_gaps: int = 0
    # Content that the source's service refuses to return, so that no archive has it.
    hidden: tuple[str, ...] = ()
    # With which rule of `PlanOptions.restore` it was made; '' for a move.
    restore: Literal["", "missing", "changed"] = ""
    # Which objects of the source the plan concerns; None for all.
    selection: SelectionRow | None = None
    # Ids that were selected and that the source does not have.
    unknown_ids: tuple[str, ...] = ()
    # Sentences about how it was selected, and rules that match nothing.
    selection_notes: tuple[str, ...] = ()
    # (id, number of the newest snapshot that has it) of those that another snapshot of the archive has.
    other_snapshots: tuple[tuple[str, int], ...] = ()
    # (kind, id) of objects that selected ones need, that are not selected, and that the target does not have.
    left_out: tuple[tuple[str, str], ...] = ()
    # What ends among the models that the assistants have on the target; None if nothing is known to end.
    retiring: Retiring | None = None
    # What each update and each conflict changes.
    changes: tuple[ChangeRow, ...] = ()
    # Of ids in `relinks` that are not those of the source: kind, id that is gone, and id on the source of the
    # object that takes its place.
    replaced_ids: tuple[tuple[str, str, str], ...] = ()
    # What it will cost to apply it; None of an assessment, and of a plan of an earlier version.
    cost: Cost | None = None
    # What was given with --accept-loss. It also accepts losses that only the apply can find out.
    accepted_fields: tuple[str, ...] = ()
    digest: str = ""

    def counts(self) -> dict[str, int]:
        """Number of objects by action; each message counts as one."""
        names: tuple[ActionName, ...] = ("create", "update", "delete", "adopt", "skip", "blocked")
        total: dict[str, int] = dict.fromkeys(names, 0)
        for row in self.actions:
            total[row.action] += 1
            total["create"] += row.messages
        return total

    def source_of(self, kind: str, id_: str) -> str:
        """The id on the source of the object that takes the place of one that is gone on the target."""
        return next((new for of, old, new in self.replaced_ids if (of, old) == (kind, id_)), id_)

    @property
    def changes_target(self) -> bool:
        """Whether `apply` would change the target."""
        return any(row.action in ("create", "update", "delete") or row.messages for row in self.actions)

    def sealed(self) -> Plan:
        """The plan without secrets of this run, and with its digest."""
        text = json.dumps(self.model_dump(), ensure_ascii=True)
        hidden = redact(text)
        plan = self if hidden == text else Plan.model_validate(json.loads(hidden))
        return plan.model_copy(update={"digest": plan.compute_digest()})

    def compute_digest(self) -> str:
        """The plan's fingerprint, for the field `digest`: a hash of everything but `digest` itself and later
        fields at their defaults."""
        document = self.model_dump(exclude={"digest"})
        _remove_defaults(document, LATER_PLAN_FIELDS)
        _remove_defaults(document["settled"], LATER_SETTINGS_FIELDS)
        for action in document["actions"]:
            _remove_defaults(action, LATER_ACTION_FIELDS)
        for loss in document["losses"]:
            _remove_defaults(loss, LATER_LOSS_FIELDS)
        return json_digest(document)


def _remove_defaults(document: dict[str, JSON], defaults: Mapping[str, JSON]) -> None:
    for name, value in defaults.items():
        if document[name] == value:
            del document[name]


ASSESS_GRADES = ("kept", "adapted", "lost", "blocked")


@dataclass(frozen=True)
class FieldOutcome:
    """A field that reaches the target unchanged."""

    kind: str
    id: str
    field: str
    parent: str = ""
    name: str = ""


@dataclass
class Assessment:
    """The result of `assess`. `target`: a type or an address. `plan`: what was assessed. `kept`: every
    unchanged field of objects other than messages, which are only counted. `kinds`: number of fields by kind
    and grade. `source_retiring`: what ends among the models on the source itself."""

    source: str
    target: str
    plan: Plan
    kept: list[FieldOutcome] = field(default_factory=list)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    source_retiring: Retiring | None = None

    @property
    def totals(self) -> dict[str, int]:
        """Number of fields by grade."""
        return {grade: sum(counts[grade] for counts in self.kinds.values()) for grade in ASSESS_GRADES}
