"""A plan in, the target as it was before it out: removes what the plan made, restores what it changed.

Nothing is touched that others changed since, unless it is forced by id. Journalled like an apply: a
killed rollback goes on where it was, and a second one has nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from migrate.archive.journal import Entry
from migrate.archive.store import Archive
from migrate.codecs import Profile
from migrate.errors import Incomplete, NotThere, OutcomeUnknown, Refused, RequestFailed
from migrate.model.normal import written_form
from migrate.stages.comparing.present import fingerprint
from migrate.stages.estate import Estate
from migrate.stages.parallel import in_parallel
from migrate.stages.planning.planfile import Plan
from migrate.stages.progress import Progress
from migrate.stages.reading.looking import (
    configuration,
    conversations,
    lists_threads,
    live,
    must_be_read,
    must_be_whole,
)
from migrate.stages.writing.equipping import recall, workshop
from migrate.stages.writing.undoing import ORDER, UNDO, Step, Undoing
from migrate.stages.writing.unfinished import settle
from migrate.stages.writing.workshop import Failure, Workshop

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

SHOWN = 5
AT_ONCE = 500
"""Journal lines in one commit."""
Inside = dict[str, list[Entry]]


@dataclass
class Undone:
    """What was taken back. `steps` is what would be done, in a dry run."""

    removed: int = 0
    restored: int = 0
    gone: int = 0
    failed: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def run(
    plan: Plan,
    source: Estate,
    archive: Archive,
    writer: Writer,
    profile: Profile,
    workers: int,
    progress: Progress,
    force: frozenset[str] = frozenset(),
    dry_run: bool = False,
) -> Undone:
    """Take a plan back. Raises `Refused` when something was changed by others since and is not forced."""
    shop = workshop(plan, source, archive, writer, profile, progress)
    recall(plan, shop, archive)
    settle(shop, plan)
    steps = _steps(plan, shop, workers, progress)
    _refuse_changed([step for step in steps if step.changed and step.target_id not in force])
    done = Undone(notes=shop.tally.notes, steps=steps if dry_run else [])
    for action in plan.actions:
        if action.action == "delete" and shop.record(action):
            reason = "the plan deleted it; what it was is in the journal, but its id cannot come back"
            done.failed.append(Failure(action.kind, action.id, action.name, reason))
    if dry_run:
        return done
    try:
        _take_back(shop, steps, done, workers)
        _forget_adopted(shop)
    except KeyboardInterrupt:
        why = "the plan is partly taken back"
        raise Incomplete("stopped", why, "run the same rollback again: it continues") from None
    return done


def _steps(plan: Plan, shop: Workshop, workers: int, progress: Progress) -> list[Step]:
    """Read the target and find what to take back."""
    entries = shop.earlier.values()
    threads = {e.target_id for e in entries if e.kind == "thread" and e.target_id and e.action != "adopt"}
    threads |= {there for _, there, _ in shop.journal.talks()}
    listed = lists_threads(shop.writer)
    wanted = configuration(workers, () if listed else threads, listed)
    with live(shop.writer, wanted, progress) as (target, taken):
        must_be_whole(taken, shop.writer.url)
        present = [thread.id for thread in target.threads() if thread.id in threads]
        with live(shop.writer, conversations(workers, present), progress) as (talks, _):
            must_be_read(talks, present, shop.writer.url)
            return Undoing(plan, shop, target, talks).steps()


def _refuse_changed(changed: list[Step]) -> None:
    if not changed:
        return
    named = [f"{s.kind} {s.name or s.id} [{s.target_id}]: {s.changed}" for s in changed[:SHOWN]]
    more = f" and {len(changed) - SHOWN:,} more" if len(changed) > SHOWN else ""
    raise Refused(
        f"{len(changed):,} object(s) were changed by others since the plan was applied",
        "; ".join(named) + more,
        "look at them; --force ID takes one back all the same",
    )


def _take_back(shop: Workshop, steps: list[Step], done: Undone, workers: int) -> None:
    do, one = partial(in_parallel, workers, stop=shop.stop), partial(_one, shop, done, _in_stores(shop))
    do((s for s in steps if s.how == "restore"), one)
    for kind in ORDER:
        mine = [s for s in steps if s.how == "remove" and s.kind == kind]
        if kind == "message":  # one after the other, the last first: they stand in an order
            for step in reversed(mine):
                one(step)
        else:
            do(mine, one)


def _forget_adopted(shop: Workshop) -> None:
    """What the plan only found on the target stays as it is, and leaves the id map."""
    adopted = (e for e in shop.journal.entries() if e.action == "adopt" and e.state == "done")
    while some := list(islice(adopted, AT_ONCE)):
        entries = shop.journal.intend((UNDO, e.kind, e.source_parent, e.source_id, e.name) for e in some)
        shop.journal.all_done(
            (entry, e.target_id, e.target_parent, None) for entry, e in zip(entries, some, strict=True)
        )


def _in_stores(shop: Workshop) -> Inside:
    """Journal lines of what was put into a store, by the id of that on the source."""
    found: Inside = {}
    for e in shop.earlier.values():
        if e.action == "create" and e.source_parent and e.state == "done":
            found.setdefault(e.source_parent, []).append(e)
    return found


def _one(shop: Workshop, done: Undone, in_stores: Inside, step: Step) -> None:
    """Remove or restore one object, and what goes along with it."""
    along: Sequence[Entry] = ()
    if step.how == "remove" and step.kind == "thread":
        along = shop.journal.put_into(step.id)
    elif step.how == "remove" and step.kind == "vector_store":
        along = in_stores.get(step.id, ())
    rows = [(UNDO, step.kind, step.parent, step.id, step.name)]
    rows += [(UNDO, e.kind, e.source_parent, e.source_id, e.name) for e in along]
    entries = shop.journal.intend(rows)
    try:
        if step.gone:
            _must_be_gone(shop, step)
        else:
            _write(shop, step)
    except RequestFailed as failed:
        with shop.lock:
            done.failed.append(Failure(step.kind, step.id, step.name, str(failed)))
        return
    shop.journal.all_done((entry, step.target_id, step.target_parent, None) for entry in entries)
    with shop.lock:
        done.gone += step.gone
        done.removed += step.how == "remove" and not step.gone
        done.restored += step.how == "restore" and not step.gone
    shop.progress.count("taken back")


def _must_be_gone(shop: Workshop, step: Step) -> None:
    """What was not seen need not be gone: a list may move while it is read, an object not answer."""
    try:
        shop.writer.get(step.kind, step.target_id, step.target_parent)
    except NotThere:
        return
    raise RequestFailed("it was not listed and is there all the same; run the same rollback again")


def _write(shop: Workshop, step: Step) -> None:
    """Both are idempotent, so a lost answer is settled by asking again."""
    for left in (2, 1, 0):
        try:
            if step.how == "remove":
                shop.writer.delete(step.kind, step.target_id, step.target_parent)
            else:
                _restore(shop, step)
            return
        except NotThere:
            return
        except OutcomeUnknown:
            if not left:
                raise


def _restore(shop: Workshop, step: Step) -> None:
    """Write the pre-image back, where the object is not that again already."""
    now = shop.codec.decode(
        step.kind, shop.writer.get(step.kind, step.target_id, step.target_parent), step.target_parent, None
    )[0]
    before = shop.codec.decode(step.kind, step.before or {}, step.target_parent, None)[0]
    if written_form(now) == written_form(before):
        return
    wire = shop.codec.update_wire(before, frozenset(step.fields), now)
    ours = fingerprint(now) == step.written
    (shop.writer.revert if ours else shop.writer.update)(step.kind, step.target_id, wire, step.target_parent)
