"""Joins what planning, applying and verifying need: an archive, a connection, and what lies on the target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.cli.config import SIGN_IN, Config
from migrate.cli.estate_argument import (
    Archived,
    ConfigDirectory,
    Live,
    live,
    opened,
    resolve,
    say_environment,
    service,
    source_of,
)
from migrate.cli.report_options import NOBODY_LOOKS, Camera
from migrate.errors import BadUsage, PlanStale, Refused
from migrate.files.output import STDOUT

if TYPE_CHECKING:
    from migrate.archive.database import Archive
    from migrate.archive.id_map import Mapping, Side
    from migrate.endpoints.interface import Reader
    from migrate.stages.estate import Estate
    from migrate.stages.plan.assess import Assessment
    from migrate.stages.plan.journal_state import JournalState
    from migrate.stages.plan.options import PlanOptions
    from migrate.stages.plan.plan_file import Plan, SourceSide
    from migrate.stages.progress import Progress


@contextmanager
def kept(found: ConfigDirectory, plan: Path, progress: Progress) -> Iterator[tuple[Estate, Path]]:
    """The directory as an estate, and the archive that it was kept in: what was reviewed is what is
    applied, whatever becomes of the files. An earlier one of the same name goes on, with its journal."""
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.reader import snapshots
    from migrate.codecs.config_directory import TYPE
    from migrate.stages.config_directory import read as config_directory_read

    if plan == STDOUT:
        why = "the config directory is kept in an archive beside the plan, under its name"
        raise BadUsage("a plan from a config directory needs a file", why, "name one: -o plan.json")
    path = plan.with_name(f"{plan.stem}.db")
    if path == plan:
        raise BadUsage(
            f"{plan} is where the config directory is kept", "a plan needs another name", "end it in .json"
        )
    if path.exists():
        with Archive.open(path) as archive:
            foreign = any(info.type != TYPE for info in snapshots(archive.conn))
        if foreign:
            raise Refused(
                f"{path} is an archive of another estate",
                "a plan from a config directory keeps the directory under that name",
                "give -o another name",
            )
    read = config_directory_read.read(found.directory)
    say_environment(read.environment, found, progress)
    with Archive.open(path, write=True, create=True) as archive:
        yield config_directory_read.kept(read, str(found.path.resolve()), archive), path


def percent(text: str | None) -> int | None:
    """`30%` or `30` as a number of hundredths; None stays None."""
    if text is None:
        return None
    number = text.strip().removesuffix("%")
    if not (number.isascii() and number.isdigit()) or int(number) > 100:
        raise BadUsage(f"{text!r} is no percentage", todo="write a number from 0 to 100, as in 30%")
    return int(number)


def choices(
    config: Config,
    source: str,
    models: Iterable[str],
    connections: Iterable[str],
    accept_loss: Iterable[str],
    copy_files: bool,
    rewrite_ids: bool = False,
    agent_version: str = "newest",
) -> PlanOptions:
    """What the user decided: the config file, and on top of it the options. A config directory has names of
    its own for each environment, so those of the config file are not for it."""
    from migrate.stages.plan.options import PlanOptions

    if service(source, config) is None and Path(source).is_dir():
        config = replace(config, models={}, connections={})
    return PlanOptions(
        models={**config.models, **dict(_pair(text, "--models") for text in models)},
        connections={**config.connections, **dict(_pair(text, "--connections") for text in connections)},
        accept=frozenset(accept_loss),
        copy_files=copy_files,
        rewrite_ids=rewrite_ids,
        agent_version="served" if agent_version == "served" else "newest",
    )


def _pair(text: str, option: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals or not new:
        raise BadUsage(f"{text!r} is not OLD=NEW", f"{option} maps a name of the source to one of the target")
    return old, new


def make_plan(
    source: str,
    target: str,
    config: Config,
    choices: PlanOptions,
    workers: int,
    progress: Progress,
    beside: Path | None = None,
    camera: Camera = NOBODY_LOOKS,
) -> Plan:
    """Read what the target holds, plan, and note in the archive that this plan was made from it. `beside`:
    the plan's file, beside which a config directory is kept as it was read."""
    from migrate.archive.registered_plans import register

    plan = _made(source, target, config, choices, workers, progress, beside, camera)
    register(Path(plan.source.archive), plan.digest)
    return plan


def _made(
    source: str, target: str, config: Config, choices: PlanOptions, workers: int, progress: Progress,
    beside: Path | None, camera: Camera,
) -> Plan:  # fmt: skip
    from migrate.archive.id_map import Side
    from migrate.archive.registered_plans import must_be_writable
    from migrate.cli.interrupted_apply import settle_interrupted
    from migrate.stages.plan.run import must_not_be_empty

    found = resolve(source, config)
    if isinstance(found, ConfigDirectory) and beside is not None:
        there = live(target, config, workers)
        with kept(found, beside, progress) as (ours, archive):
            ours.agent_version = choices.agent_version
            must_not_be_empty(ours)
            camera.take(source, ours)
            return _against(there, target, ours, str(archive.resolve()), choices, workers, progress)
    if not isinstance(found, Archived):
        raise BadUsage(f"{source} is a live estate", "a plan is made from something that stays still",
                       f"take a snapshot first: snapshot {source} -o estate.db")  # fmt: skip
    there = live(target, config, workers)
    must_be_writable(found.path)
    chosen = source_of(found, _place(there))
    with opened(f"{chosen.path}@{chosen.which}", config, workers, progress) as ours:
        ours.agent_version = choices.agent_version
        must_not_be_empty(ours)
        ends = ours.side, Side(there.settings.type, there.settings.url)
        settle_interrupted(found.path, *ends, config, workers, progress)
        camera.take(source, ours)
        return _against(there, target, ours, str(found.path.resolve()), choices, workers, progress)


def assessed(
    source: str, target: str, config: Config, choices: PlanOptions, workers: int, progress: Progress,
    camera: Camera = NOBODY_LOOKS,
) -> Assessment:  # fmt: skip
    """What a move of any estate to a type of service, or to a live one, would keep and lose."""
    from migrate.stages.plan.assess import account
    from migrate.stages.plan.run import must_not_be_empty

    offline = target in SIGN_IN and target not in config.estates
    there = None if offline else live(target, config, workers)
    found = resolve(source, config)
    if isinstance(found, Archived) and there is not None:
        chosen = source_of(found, _place(there), strict=False)
        source = f"{chosen.path}@{chosen.which}"
    with opened(source, config, workers, progress) as ours:
        ours.agent_version = choices.agent_version
        must_not_be_empty(ours)
        camera.take(source, ours)
        choices = replace(choices, bytes_later=isinstance(found, Live))
        if there is None:
            plan = against_nothing(target, ours, choices)
        else:
            plan = _against(there, target, ours, source, choices, workers, progress)
        return account(plan, ours, target if there is None else plan.target.url)


def _against(
    there: Live,
    target: str,
    ours: Estate,
    archive: str,
    choices: PlanOptions,
    workers: int,
    progress: Progress,
) -> Plan:
    """The plan for a live target. `archive` and `target` are what the plan calls its sides."""
    from migrate.archive.id_map import derivations, id_map, origins_of
    from migrate.codecs import profile_for
    from migrate.codecs.config_directory import TYPE as CONFIG
    from migrate.endpoints import connect
    from migrate.stages.config_directory.match import by_key
    from migrate.stages.match import pairing
    from migrate.stages.match.lineage import Lineage
    from migrate.stages.plan.plan_file import TargetSide
    from migrate.stages.plan.run import build_plan
    from migrate.stages.plan.target_settings import TargetInventory
    from migrate.stages.snapshot import live_estate
    from migrate.stages.verify.run import hashes_of

    with ExitStack() as stack:
        reader = connect(there.settings)
        stack.callback(reader.close)
        absent = live_estate.absent_kinds(reader)
        known = list(id_map(ours.snapshot.conn, ours.side, _side(reader), messages=False))
        threads = [line.target_id for line in known if line.kind == "thread"]
        listed = "thread" not in absent and live_estate.lists_threads(reader)
        wanted = live_estate.configuration(workers, () if listed else threads, listed, absent)
        theirs, taken = stack.enter_context(live_estate.live(reader, wanted, progress))
        live_estate.must_be_whole(taken, reader.url)
        live_estate.must_be_seen(taken, reader)
        lineage = Lineage(derivations(ours.snapshot.conn))
        trusted = pairing.trusted(ours, theirs, known)
        journal = {**lineage.back(ours, theirs), **lineage.across(ours, theirs), **trusted}
        hashes = partial(hashes_of, reader, workers, progress)
        pairs = pairing.pair(
            ours, theirs, journal, guess=False, hashes=None if ours.type == CONFIG else hashes
        )
        talks = None
        present = theirs.threads_by_id
        gone = [line for line in known if line.kind == "thread" and line.source_id not in pairs.ids["thread"]]
        pruned = [line.target_id for line in gone if line.target_id in present] if choices.prune else []
        if read := list(dict.fromkeys([*pairs.ids["thread"].values(), *pruned])):
            talks, _ = stack.enter_context(
                live_estate.live(reader, live_estate.conversations(workers, read), progress)
            )
            live_estate.must_be_read(talks, read, reader.url)
        unclear = by_key(ours, theirs, pairs, hashes) if ours.type == CONFIG else {}
        copies = frozenset(lineage.copies(ours, theirs, only_for_target=choices.copy_files))
        origins = lineage.message_origins(ours, theirs.side, partial(origins_of, ours.snapshot.conn))
        own = replace(
            _known(ours, theirs.side, known, trusted), copies=copies, origins=origins, unclear=unclear,
            further=lineage.further(ours, theirs, pairs),
        )  # fmt: skip
        side = TargetSide(estate=target, type=reader.type, url=reader.url,
                          api_version=reader.api_version, digest="")  # fmt: skip
        profile = profile_for(reader.type, reader.api_version)
        sides = (_source_side(ours, archive), side)
        return build_plan(
            ours,
            theirs,
            talks,
            pairs,
            own,
            profile,
            choices,
            sides,
            replace(TargetInventory.of(reader), absent=absent),
        )


def _known(
    ours: Estate, there: Side, known: list[Mapping], trusted: dict[tuple[str, str], str]
) -> JournalState:
    """What the archive's journal knows of a target. `known`: the lines of its id map; `trusted`: of those,
    what still is what we left there."""
    from migrate.archive.id_map import arrived_messages, made, rows_made
    from migrate.stages.plan.journal_state import Arrived, JournalState

    ends = ours.snapshot.conn, ours.side, there
    lines = {(line.kind, line.source_id): line.target_id for line in known}

    def arrived(thread: str) -> dict[str, Arrived]:
        return {old: Arrived(new, mark) for old, new, mark in arrived_messages(*ends, thread)}

    return JournalState(
        noted=frozenset((line.kind, line.source_parent, line.source_id, line.target_id) for line in known),
        target=there,
        made=made(*ends),
        distrusted={k: new for k, new in lines.items() if k[0] == "assistant" and k not in trusted},
        written={
            (line.kind, line.source_parent, line.source_id): line.written for line in known if line.written
        },
        lines=trusted,
        rows=rows_made(*ends),
        arrived=arrived,
    )


def against_nothing(type_: str, ours: Estate, choices: PlanOptions) -> Plan:
    """The plan for a service of a type that holds nothing and that nobody asks."""
    from migrate.codecs import profile_for
    from migrate.stages.match import pairing
    from migrate.stages.plan.journal_state import JournalState
    from migrate.stages.plan.plan_file import TargetSide
    from migrate.stages.plan.run import build_plan
    from migrate.stages.snapshot import live_estate

    side = TargetSide(estate=type_, type=type_, url="", api_version="", digest="")
    with live_estate.nothing(type_) as theirs:
        pairs = pairing.pair(ours, theirs, {}, guess=False)
        sides = (_source_side(ours, ""), side)
        return build_plan(ours, theirs, None, pairs, JournalState(), profile_for(type_), choices, sides)


def _source_side(ours: Estate, archive: str) -> SourceSide:
    from migrate.stages.plan.plan_file import SourceSide

    info = ours.snapshot.info
    return SourceSide(archive=archive, snapshot=info.id, type=info.type, url=info.url,
                      digest=info.digest, state=info.state)  # fmt: skip


def _place(there: Live) -> Side:
    """The side of a plan that a live estate is, before anything is asked of it."""
    from migrate.archive.id_map import Side

    return Side(there.settings.type, there.settings.url)


def _side(reader: Reader) -> Side:
    from migrate.archive.id_map import Side

    return Side(reader.type, reader.url)


def _must_be_known(plan: Plan, archive: Archive) -> None:
    from migrate.archive.registered_plans import is_known
    from migrate.errors import PlanUnknown

    if not is_known(archive.conn, plan.digest):
        raise PlanUnknown(
            f"{archive.path} does not know this plan",
            "`plan` notes each plan in its archive; this one was changed since, was made by an earlier "
            "version, or the archive was replaced by an older copy",
            "run plan again and read the new one",
        )


@contextmanager
def from_plan(
    plan: Plan, config: Config, workers: int, write: bool
) -> Iterator[tuple[Archive, Estate, Reader]]:
    """The archive, the source estate and a connection to the target that a plan speaks of. Nothing is sent
    anywhere before the archive was seen to know the plan.

    Raises `PlanUnknown`, `PlanStale`, and `ArchiveDamaged` where the journal is not what was written."""
    from migrate.archive.database import Archive, PerThread, damage_told
    from migrate.archive.journal_check import must_be_whole
    from migrate.archive.snapshots.reader import SnapshotReader, snapshots
    from migrate.endpoints import connect, connect_to_write
    from migrate.stages.estate import Estate

    with ExitStack() as stack:
        path = Path(plan.source.archive)
        archive = stack.enter_context(Archive.open(path, write=write))
        stack.enter_context(damage_told(path))
        _must_be_known(plan, archive)
        must_be_whole(archive.conn, plan.digest)
        there = live(plan.target.estate, config, workers)
        info = next((s for s in snapshots(archive.conn) if s.id == plan.source.snapshot), None)
        if info is None:
            raise PlanStale(
                f"{plan.source.archive} has no snapshot {plan.source.snapshot} any more",
                todo="run plan again and read the new one",
            )
        conn = PerThread(archive)
        stack.callback(conn.close)
        reader = (connect_to_write if write else connect)(there.settings)
        stack.callback(reader.close)
        if (reader.type, reader.url) != (plan.target.type, plan.target.url):
            raise PlanStale(
                f"{plan.target.estate} is {reader.url} now",
                f"the plan was made for {plan.target.url}",
                "mend the config file, or run plan again",
            )
        source = Estate(SnapshotReader(conn, info))
        source.agent_version = plan.settled.agent_version
        for action in plan.actions:
            if action.order:
                source.arrange(action.id, action.order)
        yield archive, source, reader
