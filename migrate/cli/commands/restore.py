"""restore: put back what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from migrate.archive.blobs import Blob
from migrate.archive.database import Archive, translate_damage
from migrate.archive.id_map import id_map
from migrate.archive.registered_plans import interrupted_plans
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.cli import confirm, print_message
from migrate.cli.config import Config
from migrate.cli.estate_argument import ArchivedEstate, live_estate, resolve_estate
from migrate.cli.interruption import resumable
from migrate.cli.options import (
    Common,
    adaptation_options,
    all_objects_option,
    common_options,
    exit_with,
    workers,
)
from migrate.cli.plan_inputs import make_plan, plan_options
from migrate.cli.selection_options import selection_options
from migrate.cli.sides import open_plan
from migrate.endpoints import connect_reader, connect_writer
from migrate.endpoints.settings import Settings
from migrate.errors import BadUsage, IncompleteResult, ServiceRetired, ServiceUnreachable
from migrate.model.results.apply import ApplyResult, VerifyResult
from migrate.model.results.archive import IdMapping, SnapshotInfo
from migrate.model.results.plan import Plan
from migrate.model.results.restore import RestoreResult
from migrate.model.selection import Selection
from migrate.reports.commands.plan import confirmation_question
from migrate.reports.commands.restore import restore_document, restore_plan_text, restore_text
from migrate.stages.apply.context import apply_context
from migrate.stages.apply.run import ApplyInterrupted, apply_plan
from migrate.stages.estate import Estate
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan_sides import plan_sides
from migrate.stages.progress import Progress
from migrate.stages.snapshot.originals import find_originals, store_originals
from migrate.stages.verify.run import VerifyInterrupted, verify_plan

SAME_RESTORE = "run the same restore again: it continues"
INTERRUPTED_NOTE = (
    "an earlier apply to this place was interrupted; what its last requests created is looked up before "
    "anything is written, so less may be missing"
)


@dataclass
class Restore:
    """The steps of one run. `target`: the ESTATE argument of the live service that is written."""

    archive: ArchivedEstate
    target: str
    config: Config
    options: PlanOptions
    workers: int
    progress: Progress
    # Only plan: nothing is written, into the archive neither.
    dry_run: bool = False
    # A folder with bytes of files, and what was found in it: file id -> bytes as they would be stored.
    folder: Path | None = None
    originals: Mapping[str, Blob] = field(default_factory=dict)
    # Ctrl-C or SIGTERM after the plan was made.
    stopped: IncompleteResult | None = None

    def plan(self) -> Plan:
        """Plan, and register the plan in the archive. Raises `ServiceRetired` where the place that the
        snapshot came from no longer has assistants."""
        source = f"{self.archive.path}@{self.archive.which}"
        with resumable("stopped before the plan was complete", "nothing was written", SAME_RESTORE):
            target = live_estate(self.target, self.config, self.workers)
            return make_plan(
                source, target, self.config, self.options, self.workers, self.progress,
                dry_run=self.dry_run, further_blobs=self.originals,
            )  # fmt: skip

    def find_originals(self, folder: Path, info: SnapshotInfo) -> None:
        """Look for the bytes that the archive lacks in a folder."""
        with Archive.open(self.archive.path) as archive, translate_damage(self.archive.path):
            self.originals = find_originals(Estate(SnapshotReader(archive.conn, info)), folder)
        self.folder = folder
        print_message(f"{len(self.originals):,} file(s) get their bytes from {folder}")

    def dry_run_notes(self, plan: Plan) -> tuple[str, ...]:
        """What a dry run cannot know, because it changes nothing."""
        with Archive.open(self.archive.path) as archive, translate_damage(self.archive.path):
            is_unclear = any(interrupted_plans(archive.conn, *plan_sides(plan)))
        return (INTERRUPTED_NOTE,) if self.dry_run and is_unclear else ()

    def write(self, plan: Plan) -> RestoreResult:
        """Write what the plan says, and read it back. Where one of both is stopped, the result has what was
        done until then."""
        result = RestoreResult(plan)
        try:
            applied = self._apply(plan)
            result = replace(result, applied=applied, ids=self._new_ids(plan))
            if not applied.outage:
                result = replace(result, verified=self._verify(plan))
        except ApplyInterrupted as stopped:
            self.stopped = stopped
            result = replace(result, applied=stopped.result, ids=self._new_ids(plan))
        except VerifyInterrupted as stopped:
            stopped.why, self.stopped = "everything was written", stopped
        if self.stopped:
            self.stopped.todo = SAME_RESTORE
        return result

    def _apply(self, plan: Plan) -> ApplyResult:
        """Write what the plan says, with the journal of the archive."""
        with open_plan(plan, self.config, self.workers, connect_writer) as sides:
            if self.folder is not None:
                created = {a.id for a in plan.actions if (a.kind, a.action) == ("file", "create")}
                wanted = {id_: blob for id_, blob in self.originals.items() if id_ in created}
                source = Estate(SnapshotReader(sides.archive.conn, sides.source.snapshot.info))
                store_originals(sides.archive, source, self.folder, wanted)
            return apply_plan(plan, apply_context(plan, sides, self.progress), self.workers)

    def _verify(self, plan: Plan) -> VerifyResult:
        """Read back what was written."""
        with open_plan(plan, self.config, self.workers, connect_reader) as sides:
            return verify_plan(plan, sides, self.workers, self.progress)

    def _new_ids(self, plan: Plan) -> tuple[IdMapping, ...]:
        """Objects that this plan created under another id than before. A file in a store has the id of the
        file."""
        created = {
            (a.kind, a.id) for a in plan.actions if a.action == "create" and a.kind != "vector_store_file"
        }
        with Archive.open(self.archive.path) as archive, translate_damage(self.archive.path):
            rows = id_map(archive.conn, *plan_sides(plan), messages=False)
            return tuple(
                row for row in rows if (row.kind, row.source_id) in created and row.target_id != row.source_id
            )


@click.command("restore")
@click.argument("archive")
@click.option(
    "--to",
    "target",
    metavar="ESTATE",
    help="Restore to this estate (default: the estate that the snapshot was read from).",
)
@click.option(
    "--changed",
    is_flag=True,
    help="Also write the archived state of objects that changed after the snapshot.",
)
@click.option(
    "--no-relink", is_flag=True,
    help="Do not write new ids into existing objects that refer to a restored object by its old id.",
)  # fmt: skip
@click.option(
    "--originals", type=click.Path(path_type=Path, file_okay=False),
    help="Folder with files whose bytes the archive does not have; name and size must match. Bytes "
    "that are used are stored in the archive.",
)  # fmt: skip
@selection_options
@adaptation_options
@all_objects_option
@click.option("--dry-run", is_flag=True, help="Only plan; write nothing, not even into the archive.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@workers
@common_options
def restore_command(
    common: Common, archive: str, target: str | None, changed: bool, no_relink: bool, originals: Path | None,
    selection: Selection, dry_run: bool, yes: bool, all_objects: bool, workers: int, **given: Any,
) -> None:  # fmt: skip
    """Create again what ARCHIVE[@SNAPSHOT] has and its estate no longer has.

    Plans, asks for confirmation, writes and compares in one run. Nothing is deleted. Existing objects are not
    changed, except that references to a restored object get its new id. With --changed, objects that changed
    after the snapshot get their archived state again. `rollback` rolls all of this back. If restore is
    interrupted, it lists what is done and what is left. Run it again: it continues.

    Exit 1 when no object is selected, when the comparison has findings, or when there are losses or blocked
    objects that --accept-loss does not accept. Exit 3 when some objects could not be written, a selected id
    is unknown, or the snapshot could not list a kind of which more than single ids are selected. Exit 4 when
    the target changed after the plan was made. Exit 5 when the target does not answer, or no longer has
    assistants.

    \b
    Examples:
      assistants-migrate restore estate.db --id "Product Support" --dry-run
      assistants-migrate restore estate.db@1 --include "assistant:Product*" --yes
      assistants-migrate restore estate.db --after 2024-01-01 --to west
    """
    config = common.config
    estate, info = snapshot_to_restore(archive, config, target)
    options = replace(
        plan_options(config, archive, **given),
        selection=selection,
        restore="changed" if changed else "missing",
        relink=not no_relink,
    )
    place = target or _place_of(info, config)
    restore = Restore(estate, place, config, options, workers, common.progress(), dry_run)
    if originals is not None:
        restore.find_originals(originals, info)
    plan = restore.plan()
    if target is None:
        _require_assistants(plan, info)
    result = RestoreResult(plan, notes=restore.dry_run_notes(plan))
    if plan.changes_target and not dry_run:
        if not yes:
            if not common.as_json:
                print_message(restore_plan_text(plan, all_objects))
            confirm(confirmation_question(plan))
        result = restore.write(plan)
    common.write_result(restore_document(result), restore_text(result, all_objects))
    if restore.stopped:
        raise restore.stopped
    if result.applied and result.applied.outage:
        raise ServiceUnreachable(*result.applied.outage)
    exit_with(result.exit_code)


def snapshot_to_restore(
    text: str, config: Config, target: str | None = None
) -> tuple[ArchivedEstate, SnapshotInfo]:
    """The archive and the snapshot that an argument names; without an @ the newest one, and one that was not
    filtered before any other.

    Raises `BadUsage` for an archive of several estates without an @, unless `target` is one of them."""
    estate = resolve_estate(text, config)
    if not isinstance(estate, ArchivedEstate):
        raise BadUsage(
            f"{text} is not an archive", "only an archive can be restored", "name a file: estate.db"
        )
    with Archive.open(estate.path) as archive, translate_damage(estate.path):
        snapshots = list_snapshots(archive.conn)
    if estate.named and estate.which != "latest":
        named = [info for info in snapshots if estate.which in (str(info.id), info.tag)]
    else:
        settings = live_estate(target, config).settings if target else None
        named = _snapshots_of_one_estate(estate, snapshots, settings)
    if not named:
        known = ", ".join(str(info.id) for info in snapshots) or "none yet"
        raise BadUsage(
            f"{estate.path} has no snapshot {estate.which!r}",
            f"it has {known}",
            f"list them: snapshots {estate.path}",
        )
    return ArchivedEstate(estate.path, str(named[-1].id), named=True), named[-1]


def _snapshots_of_one_estate(
    estate: ArchivedEstate, snapshots: Sequence[SnapshotInfo], settings: Settings | None
) -> list[SnapshotInfo]:
    """The finished snapshots of the only estate in an archive, or of the one that `settings` describe; those
    that were not filtered, if there are any."""
    finished = [info for info in snapshots if not info.interrupted] or list(snapshots)
    newest = {(info.type, info.url): info for info in finished}
    place = (settings.type, settings.url) if settings else None
    if place in newest:
        finished = [info for info in finished if (info.type, info.url) == place]
    elif len(newest) > 1:
        rows = ", ".join(f"{info.id} of {info.type} {info.url}" for info in newest.values())
        raise BadUsage(
            f"{estate.path} has snapshots of {len(newest)} estates",
            f"the newest of each: {rows}",
            f"name the one that is meant: {estate.path}@NUMBER",
        )
    return [info for info in finished if not info.is_filtered] or finished


def _place_of(info: SnapshotInfo, config: Config) -> str:
    """The ESTATE argument of the place that a snapshot was read from: by its name in the config file, which
    has the key, else by type and address."""
    for name, entry in config.estates.items():
        if (entry.type, entry.endpoint.rstrip("/")) == (info.type, info.url):
            return name
    return f"{info.type}+{info.url}"


def _require_assistants(plan: Plan, info: SnapshotInfo) -> None:
    """Raises `ServiceRetired` where the place that the snapshot came from has no assistants any more."""
    if "assistant" in plan.settled.absent and any(
        action.action == "blocked" and action.kind in ("assistant", "thread") for action in plan.actions
    ):
        raise ServiceRetired(
            f"{info.url} has no assistants and threads any more",
            "the service is retired, or its API version does not know them",
            "restore to another place: --to ESTATE; files and stores alone: --include file:* "
            "--include vector_store:*",
        )
