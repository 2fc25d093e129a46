"""sync: one-way replication, again and again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate.archive.database import Archive
from migrate.archive.journal import can_be_undone
from migrate.cli.config import Config
from migrate.cli.estate_argument import live_estate, thread_ids
from migrate.cli.opened_plan import opened_plan
from migrate.cli.options import Common, adaptation_options, common_options, exit_with, workers
from migrate.cli.plan_inputs import make_plan
from migrate.codecs import capabilities_for
from migrate.endpoints import connect_reader
from migrate.errors import MigrateError, OperationRefused, ServiceUnreachable
from migrate.reports.commands.plan import unaccepted_losses
from migrate.reports.commands.sync import sync_document, sync_text
from migrate.stages.apply.run import apply_plan
from migrate.stages.plan.plan_file import read_plan, write_plan
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.snapshot.run import take_snapshot
from migrate.stages.verify.run import verify_plan

if TYPE_CHECKING:
    from migrate.model.results.apply import ApplyResult, VerifyResult
    from migrate.model.results.archive import SnapshotResult
    from migrate.model.results.plan import Plan
    from migrate.stages.plan.options import PlanOptions
    from migrate.stages.progress import Progress


class Sync:
    """One run. What each step gave is kept for the report; a step that was not reached is None."""

    def __init__(
        self,
        source: str,
        target: str,
        archive: Path,
        config: Config,
        choices: PlanOptions,
        workers: int,
        progress: Progress,
    ) -> None:
        self.source, self.target, self.archive = source, target, archive
        self.config, self.choices, self.workers, self.progress = config, choices, workers, progress
        self.plan_file = archive.with_name(archive.name + ".plan.json")
        self.taken: SnapshotResult | None = None
        self.plan: Plan | None = None
        self.plan_kept = False
        """Whether the plan file still holds an earlier plan, which a rollback may need."""
        self.tally: ApplyResult | None = None
        self.verified: VerifyResult | None = None

    def run(self, threads: str, full: bool, dry_run: bool) -> None:
        """Carry it out. Raises what the steps raise."""

        self._must_be_two_places()
        self.taken = self._snapshot(threads, full)
        source = f"{self.archive}@{self.taken.id}"
        self.plan = make_plan(source, self.target, self.config, self.choices, self.workers, self.progress)
        if not self._keeps_plan_file(self.plan, dry_run):
            write_plan(self.plan, self.plan_file)
        if not dry_run:
            self._apply(self.plan)
            if not self.outage:
                self._verify(self.plan)

    @property
    def outage(self) -> tuple[str, str, str] | None:
        """What, why and what to do next, where the target went away while it was written."""
        return self.tally.outage if self.tally else None

    def code(self) -> int:
        """The exit code: what could not be read or written weighs more than what differs."""

        failed = self.tally is not None and bool(self.tally.failed)
        if failed or (self.taken is not None and self.taken.state != "complete"):
            return 3
        found = self.verified is not None and bool(self.verified.findings)
        return 1 if found or (self.plan is not None and unaccepted_losses(self.plan.losses)) else 0

    def _keeps_plan_file(self, plan: Plan, dry_run: bool) -> bool:
        """A plan that will not be applied, or changes nothing, takes the place of no plan that can be taken
        back."""

        if plan.changes_target and not dry_run:
            return False
        try:
            earlier = read_plan(self.plan_file)
        except MigrateError:
            return False  # there is none, or nobody could use it
        with Archive.open(self.archive) as archive:
            self.plan_kept = can_be_undone(archive.conn, earlier.digest)
        return self.plan_kept

    def _must_be_two_places(self) -> None:
        """Raises `OperationRefused` where an estate would be made like itself."""

        one, other = (live_estate(text, self.config).settings for text in (self.source, self.target))
        if (one.type, one.url) == (other.type, other.url):
            raise OperationRefused(
                f"{self.source} and {self.target} are one estate: {one.url}",
                "a sync makes one place like another",
                "to put back what is gone: plan ARCHIVE@SNAPSHOT ESTATE, then apply",
            )

    def _snapshot(self, threads: str, full: bool) -> SnapshotResult:

        found = live_estate(self.source, self.config, self.workers)
        wanted = SnapshotOptions(
            list_threads=threads != "none",
            thread_ids=thread_ids(threads, found),
            full=full,
            workers=self.workers,
        )
        reader = connect_reader(found.settings)
        try:
            reader.probe()  # before the archive is touched
            with Archive.open(self.archive, write=True, create=True) as archive:
                return take_snapshot(reader, archive, wanted, self.progress)
        finally:
            reader.close()

    def _apply(self, plan: Plan) -> None:

        with opened_plan(plan, self.config, self.workers, write=True) as (archive, source, writer):
            capabilities = capabilities_for(writer.type, writer.api_version)
            self.tally = apply_plan(plan, source, archive, writer, capabilities, self.workers, self.progress)  # type: ignore[arg-type]

    def _verify(self, plan: Plan) -> None:

        with opened_plan(plan, self.config, self.workers, write=False) as (archive, source, reader):
            capabilities = capabilities_for(reader.type, reader.api_version)
            self.verified = verify_plan(
                plan, source, archive, reader, capabilities, self.workers, self.progress
            )


@click.command("sync")
@click.argument("source")
@click.argument("target")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="The archive: keep it, it knows what was moved before.",
)  # fmt: skip
@click.option(
    "--threads", default="auto", show_default=True, help="auto, none, a FILE of ids, or - for stdin."
)
@click.option(
    "--on-conflict", type=click.Choice(["fail", "keep", "overwrite"]), default="fail", show_default=True,
    help="What others changed on the target since the last sync.",
)  # fmt: skip
@adaptation_options
@click.option("--prune", is_flag=True, help="Delete on the target what we made and the source no longer has.")
@click.option("--max-update", metavar="N%", help="Refuse to update more (default: 100% beyond 10 objects).")
@click.option("--max-delete", metavar="N%", help="Refuse to delete more (default: 10% beyond 10 objects).")
@click.option("--full", is_flag=True, help="Read every thread anew, also those that seem unchanged.")
@click.option("--dry-run", is_flag=True, help="Snapshot and plan only; nothing is written to the target.")
@workers
@common_options
def sync_command(
    common: Common, source: str, target: str, output: Path, threads: str, on_conflict: str, prune: bool,
    max_update: str | None, max_delete: str | None, full: bool, dry_run: bool, workers: int, **given: Any,
) -> None:  # fmt: skip
    """Make TARGET like SOURCE: snapshot, plan, apply, verify; only what changed is written.

    Both are live. The plan lies beside the archive, as FILE.plan.json. Exit 4 when others changed on the
    target what this would write over; nothing is deleted without --prune, and never after an incomplete
    reading. Exit 3 when the snapshot was partial or something could not be written, 1 when verify found
    something or a loss was not accepted.
    """
    from migrate.cli.plan_inputs import percent, plan_options

    config = common.config
    chosen = replace(
        plan_options(config, source, **given),
        prune=prune,
        on_conflict=on_conflict,  # type: ignore[arg-type]
        max_update=percent(max_update),
        max_delete=percent(max_delete),
    )
    sync = Sync(source, target, output, config, chosen, workers, common.progress())
    sync.run(threads, full, dry_run)
    common.answer(sync_document(sync), sync_text(sync))
    if sync.outage:
        raise ServiceUnreachable(*sync.outage)
    exit_with(sync.code())
