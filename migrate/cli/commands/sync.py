"""sync: one-way replication, repeatable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from migrate.archive.database import Archive
from migrate.archive.journal import can_be_undone
from migrate.cli.commands.snapshot import snapshot_to_archive
from migrate.cli.config import Config
from migrate.cli.estate_argument import live_estate, thread_ids
from migrate.cli.interruption import resumable
from migrate.cli.options import (
    FILE_PATH,
    Common,
    adaptation_options,
    all_objects_option,
    common_options,
    exit_with,
    full_option,
    limit_options,
    threads_option,
    workers,
)
from migrate.cli.plan_inputs import make_plan, plan_options
from migrate.cli.selection_options import selection_options
from migrate.cli.sides import open_plan
from migrate.endpoints import connect_reader, connect_writer
from migrate.errors import IncompleteResult, MigrateError, OperationRefused, ServiceUnreachable
from migrate.model.results.apply import ApplyResult, SyncResult, VerifyResult
from migrate.model.results.archive import SnapshotResult
from migrate.model.results.plan import Plan
from migrate.model.selection import Selection
from migrate.reports.commands.apply import sync_document, sync_text
from migrate.stages.apply.context import apply_context
from migrate.stages.apply.run import ApplyInterrupted, apply_plan
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.plan_file import read_plan, write_plan
from migrate.stages.plan.run import check_options
from migrate.stages.progress import Progress
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.verify.run import VerifyInterrupted, verify_plan

SAME_SYNC = "run the same sync again: it continues"


@dataclass
class Sync:
    """The steps of one run. `source` and `target`: ESTATE arguments of live services."""

    source: str
    target: str
    archive: Path
    config: Config
    options: PlanOptions
    workers: int
    progress: Progress
    # Ctrl-C or SIGTERM after the plan was made.
    stopped: IncompleteResult | None = None

    def run(self, threads: str, full: bool, dry_run: bool) -> SyncResult:
        """Run all steps. Raises what they raise, and `OperationRefused` if both estates are the same."""
        check_options(self.options)  # before anything is read
        self._refuse_same_estate()
        snapshot = self._snapshot(threads, full)
        source = f"{self.archive}@{snapshot.id}"
        with resumable("stopped before the plan was complete", "nothing was written", SAME_SYNC):
            target = live_estate(self.target, self.config, self.workers)
            plan = make_plan(source, target, self.config, self.options, self.workers, self.progress)
        plan_file = self.archive.with_name(self.archive.name + ".plan.json")
        keep_earlier = (dry_run or not plan.changes_target) and self._can_be_undone(plan_file)
        if not keep_earlier:
            write_plan(plan, plan_file)
        result = SyncResult(self.archive, plan_file, snapshot, plan, keep_earlier)
        return result if dry_run else self._write(result)

    def _write(self, result: SyncResult) -> SyncResult:
        """Apply and verify. Where one of them is stopped, the result has what was done until then."""
        try:
            result = replace(result, applied=self._apply(result.plan))
            if result.applied and not result.applied.outage:
                result = replace(result, verified=self._verify(result.plan))
        except ApplyInterrupted as stopped:
            stopped.todo = SAME_SYNC
            self.stopped, result = stopped, replace(result, applied=stopped.result)
        except VerifyInterrupted as stopped:
            stopped.why, stopped.todo = "everything was written", f"{SAME_SYNC}, or verify {result.plan_file}"
            self.stopped = stopped
        return result

    def _can_be_undone(self, plan_file: Path) -> bool:
        """Whether an earlier plan in this file could still be rolled back, so that it must be kept."""
        try:
            earlier = read_plan(plan_file)
        except MigrateError:
            return False  # there is none, or it cannot be used
        with Archive.open(self.archive) as archive:
            return can_be_undone(archive.conn, earlier.digest)

    def _refuse_same_estate(self) -> None:
        source, target = (live_estate(text, self.config).settings for text in (self.source, self.target))
        if (source.type, source.url) == (target.type, target.url):
            raise OperationRefused(
                f"{self.source} and {self.target} are one estate: {source.url}",
                "a sync makes one estate like another",
                "to put back what is gone: restore ARCHIVE@SNAPSHOT",
            )

    def _snapshot(self, threads: str, full: bool) -> SnapshotResult:
        live = live_estate(self.source, self.config, self.workers)
        options = SnapshotOptions(
            list_threads=threads != "none",
            thread_ids=thread_ids(threads, live),
            full=full,
            workers=self.workers,
            models=True,
        )
        return snapshot_to_archive(live, self.archive, options, self.progress)

    def _apply(self, plan: Plan) -> ApplyResult:
        with open_plan(plan, self.config, self.workers, connect_writer) as sides:
            return apply_plan(plan, apply_context(plan, sides, self.progress), self.workers)

    def _verify(self, plan: Plan) -> VerifyResult:
        with open_plan(plan, self.config, self.workers, connect_reader) as sides:
            return verify_plan(plan, sides, self.workers, self.progress)


@click.command("sync")
@click.argument("source")
@click.argument("target")
@click.option(
    "-o", "--output", type=FILE_PATH, required=True,
    help="The archive; keep it for the next sync: it records what was moved.",
)  # fmt: skip
@threads_option
@click.option(
    "--on-conflict", type=click.Choice(["fail", "keep", "overwrite"]), default="fail", show_default=True,
    help="What to do with objects that others changed on the target since the last sync.",
)  # fmt: skip
@selection_options
@adaptation_options
@all_objects_option
@limit_options
@full_option
@click.option("--dry-run", is_flag=True, help="Only snapshot and plan; write nothing to the target.")
@workers
@common_options
def sync_command(
    common: Common, source: str, target: str, output: Path, threads: str, full: bool, dry_run: bool,
    all_objects: bool, workers: int, selection: Selection, **given: Any,
) -> None:  # fmt: skip
    """Make TARGET like SOURCE: snapshot, plan, apply, verify; only what changed is written.

    SOURCE and TARGET are live. The snapshot contains all objects of SOURCE; a selection limits only the plan.
    The plan is stored next to the archive, as FILE.plan.json. Objects are deleted only with --prune, and only
    if the snapshot is complete.

    Exit 1 when `verify` has findings, or when there are losses or blocked objects that --accept-loss does not
    accept, also those that show only when TARGET does not take what was tried. Exit 3 when the snapshot is
    partial, when SOURCE does not have a selected id, or when some objects could not be written. Exit 4 when
    others changed objects on the target that sync would overwrite (see --on-conflict).

    \b
    Examples:
      assistants-migrate sync east west -o estate.db
      assistants-migrate sync east west -o estate.db --prune --dry-run
    """
    config = common.config
    options = replace(plan_options(config, source, **given), selection=selection)
    sync = Sync(source, target, output, config, options, workers, common.progress())
    result = sync.run(threads, full, dry_run)
    common.write_result(sync_document(result), sync_text(result, all_objects))
    if sync.stopped:
        raise sync.stopped
    if result.applied and result.applied.outage:
        raise ServiceUnreachable(*result.applied.outage)
    exit_with(result.exit_code)
