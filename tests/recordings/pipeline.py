"""Moves recorded objects: decoded, archived, compared, planned, written and read back.

The target is always an emulated service. A difference at the end without a line in the plan is a silent loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.codecs import CODECS
from migrate.emulator.options import ServiceName
from migrate.model import KINDS
from tests.e2e.running import World, options, world
from tests.recordings.answers import Family, OtherContent, Recorded

# Type and address of the estate that is built from the recorded objects.
SOURCES: dict[Family, tuple[str, str]] = {
    "assistants": ("azure-openai", "https://recorded.example.com"),
    "project": ("foundry", "https://recorded.example.com/api/projects/recorded"),
}
# Services of the emulator, and the type that the plan uses for them.
TARGETS: tuple[tuple[ServiceName, str], ...] = (
    ("azure-openai", "azure-openai"),
    ("foundry", "foundry-classic"),
    ("foundry", "foundry"),
)
USUAL = ("gpt-4.1", "gpt-4o", "gpt-4o-mini", "o4-mini")

Key = tuple[str, str, str]


@dataclass
class RecordedEstate:
    """The recorded objects of one family as an estate. Of several bodies of one object the last one is
    used."""

    family: Family
    objects: dict[Key, Recorded] = field(default_factory=dict)
    repeated: int = 0
    # Number of threads and stores that were added because only their members were recorded.
    made_up: int = 0

    def add(self, found: Recorded) -> None:
        """Add an object."""
        id_ = str(found.body.get("id") or f"recorded_{len(self.objects)}")
        key = (found.kind, found.parent, id_)
        self.repeated += key in self.objects
        body = found.body if found.body.get("id") else {"id": id_, **found.body}
        self.objects[key] = Recorded(self.family, found.kind, found.parent, body, found.source)

    def complete(self) -> None:
        """Add the missing parents of recorded members."""
        for kind, parent, _ in list(self.objects):
            above = KINDS[kind].parent
            if above and parent and (above, "", parent) not in self.objects:
                body = {"id": parent, "object": above, "created_at": 1, "metadata": {}}
                self.objects[(above, "", parent)] = Recorded(self.family, above, "", body, "made up")
                self.made_up += 1


@dataclass
class TargetResult:
    """The result of one family on one target. `told`: number of losses by grade and field. `untold`: silent
    losses as texts."""

    family: Family
    target: str
    actions: dict[str, int]
    told: Counter[tuple[str, str]]
    created: int
    untold: list[str]


@dataclass
class Result:
    """The results of a run."""

    files: int
    held: list[RecordedEstate]
    others: Counter[str]
    # Objects that could not be decoded, with the reason.
    broken: list[str]
    # Kind and key of unknown fields: stored, compared and reported, but not interpreted.
    unknown: Counter[str]
    compared: int
    passed: list[TargetResult]


def run(found: Iterable[Recorded | OtherContent], folder: Path) -> Result:
    """Run all steps. `folder`: an empty working folder."""
    held: dict[Family, RecordedEstate] = {family: RecordedEstate(family) for family in SOURCES}
    result = Result(0, list(held.values()), Counter(), [], Counter(), 0, [])
    names = set()
    for one in found:
        names.add(one.source)
        if isinstance(one, OtherContent):
            result.others[one.what] += 1
        elif _decodes(one, result):
            held[one.family].add(one)
    result.files = len(names)
    for family in held.values():
        if family.objects:
            family.complete()
            _pass(family, folder / family.family, result)
    return result


def _decodes(one: Recorded, result: Result) -> bool:
    try:
        entities = CODECS[SOURCES[one.family][0]].decode(one.kind, one.body, one.parent, None)
    except Exception as error:  # of any sort: this is what is looked for
        result.broken.append(f"{one.source}: {one.kind}: {type(error).__name__}: {error}")
        return False
    for entity in entities:
        result.unknown.update(f"{entity.kind}.{key}" for key in entity.extras)
    return bool(entities)


def _pass(held: RecordedEstate, folder: Path, result: Result) -> None:
    models = {m for one in held.objects.values() if (m := _model(one.body))}
    for service, type_ in TARGETS:
        place = folder / type_
        place.mkdir(parents=True)
        there = options(
            "TARGET_KEY", service=service, list_threads="works", deployments=(*USUAL, *sorted(models))
        )
        with world(place, options("SOURCE_KEY", service=service), there, types=(type_, type_)) as run_:
            keep(held, Path(run_.db))
            same = run_("diff", f"{run_.db}@1", f"{run_.db}@1")
            if same.code:
                result.broken.append(f"compared with themselves, they differ: {same.err}{same.out[:500]}")
            else:
                result.compared += sum(same.json["compared"].values())
            result.passed.append(_moved(held, type_, run_))


def _model(body: dict[str, Any]) -> str:
    with suppress(KeyError, TypeError):
        body = body["versions"]["latest"]["definition"]
    model = body.get("model")
    return model if isinstance(model, str) else ""


def keep(held: RecordedEstate, path: Path) -> None:
    """Archive the objects as one snapshot, exactly as recorded."""
    listings: dict[tuple[str, str], list[Recorded]] = {
        (kind, ""): [] for kind in KINDS if not KINDS[kind].parent
    }
    for (kind, parent, id_), one in held.objects.items():
        listings.setdefault((kind, parent), []).append(one)
        for below in KINDS.values():  # parents without recorded members are listed as empty
            if below.parent == kind:
                listings.setdefault((below.name, id_), [])
    with Archive.open(path, write=True, create=True) as archive:
        writer = SnapshotWriter.begin(archive, *SOURCES[held.family], {}, None)
        for (kind, parent), rows in listings.items():
            if rows:
                writer.add_page(kind, parent, [BodyRow.from_json(kind, row.body) for row in rows], "")
            writer.end_listing(kind, parent)
        writer.finish("complete", "")


def _moved(held: RecordedEstate, type_: str, run_: World) -> TargetResult:
    planned = run_("plan", run_.db, "target", "-o", run_.plan, "--accept-loss", "all")
    if planned.code not in (0, 1):
        return TargetResult(held.family, type_, {}, Counter(), 0, [f"plan: {planned.err.strip()}"])
    plan = planned.json
    told = Counter((row["grade"], row["field"]) for row in plan["losses"])
    applied = run_.apply()
    untold: list[str] = []
    created = 0
    if applied.code in (0, 3):
        created = applied.json["created"]
        untold += [f"apply: {row['kind']} {row['id']}: {row['reason']}" for row in applied.json["failed"]]
    else:
        untold.append(f"apply: {applied.err.strip()}")
    verified = run_("verify", run_.plan)
    if verified.code in (0, 1):
        untold += [f"verify: {row}" for row in verified.json["findings"]]
    else:
        untold.append(f"verify: {verified.err.strip()}")
    return TargetResult(held.family, type_, plan["actions"], told, created, untold)
