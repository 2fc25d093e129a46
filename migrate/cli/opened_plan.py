"""Open what a plan speaks of: its archive, its source as an estate, and a connection to its target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from migrate.archive.connections import ThreadLocalConnection
from migrate.archive.database import Archive, translate_damage
from migrate.archive.journal_check import check_journal
from migrate.archive.registered_plans import is_plan_registered
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.cli.config import Config
from migrate.cli.estate_argument import live_estate
from migrate.endpoints import connect_reader, connect_writer
from migrate.endpoints.interface import Reader
from migrate.errors import PlanStale, PlanUnknown
from migrate.model.results.plan import Plan
from migrate.stages.estate import Estate


def _must_be_known(plan: Plan, archive: Archive) -> None:

    if not is_plan_registered(archive.conn, plan.digest):
        raise PlanUnknown(
            f"{archive.path} does not know this plan",
            "`plan` notes each plan in its archive; this one was changed since, was made by an earlier "
            "version, or the archive was replaced by an older copy",
            "run plan again and read the new one",
        )


@contextmanager
def opened_plan(
    plan: Plan, config: Config, workers: int, write: bool
) -> Iterator[tuple[Archive, Estate, Reader]]:
    """The archive, the source estate and a connection to the target that a plan speaks of. Nothing is sent
    anywhere before the archive was seen to know the plan.

    Raises `PlanUnknown`, `PlanStale`, and `ArchiveDamaged` where the journal is not what was written."""

    with ExitStack() as stack:
        path = Path(plan.source.archive)
        archive = stack.enter_context(Archive.open(path, write=write))
        stack.enter_context(translate_damage(path))
        _must_be_known(plan, archive)
        check_journal(archive.conn, plan.digest)
        there = live_estate(plan.target.estate, config, workers)
        info = next((s for s in list_snapshots(archive.conn) if s.id == plan.source.snapshot), None)
        if info is None:
            raise PlanStale(
                f"{plan.source.archive} has no snapshot {plan.source.snapshot} any more",
                todo="run plan again and read the new one",
            )
        conn = ThreadLocalConnection(archive.open_read_connection)
        stack.callback(conn.close)
        reader = (connect_writer if write else connect_reader)(there.settings)
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
                source.set_message_order(action.id, action.order)
        yield archive, source, reader
