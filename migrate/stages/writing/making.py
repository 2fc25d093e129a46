"""Creates one object exactly once: intent first, and after a lost answer a look at what became of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.archive.journal import Entry, Journal
from migrate.codecs import CODECS, Target
from migrate.errors import NotThere, OutcomeUnknown, RequestFailed
from migrate.model import JSON, KINDS, Entity
from migrate.model.moment import made_at
from migrate.model.normal import written_form
from migrate.model.refs import refs_of, remap
from migrate.stages.comparing.present import fingerprint
from migrate.stages.estate import Estate, stamp
from migrate.stages.planning.planfile import Action
from migrate.stages.progress import Progress

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

Body = dict[str, JSON]
TRIES = 4
GATEWAY = (408, 504)
"""Statuses of a gateway that stopped waiting: the service behind it may still be at work."""
GATEWAY_LOOKS = (1.0, 4.0, 10.0, 15.0)
"""Seconds between looks at what became of such a request, before it is sent again."""
CLOCKS = 6 * 3600
"""Seconds by which the service's clock and ours may disagree: what is older is not looked at."""


class Unresolved(RequestFailed):
    """An object names another that could not be made."""


class Taken(RequestFailed):
    """Where an object was to be made lies somebody else's."""


@dataclass(frozen=True)
class Failure:
    """An object that was not made, changed or deleted, and why."""

    kind: str
    id: str
    name: str
    reason: str


@dataclass
class Tally:
    """What an apply did. Threads add to it through `Workshop`."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    adopted: int = 0
    skipped: int = 0
    failed: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Workshop:
    """What every maker needs: both sides, the rules, the journal and the id map. Shared by threads."""

    def __init__(
        self, source: Estate, writer: Writer, fit: Target, journal: Journal, progress: Progress
    ) -> None:
        self.source, self.writer, self.fit, self.journal, self.progress = (
            source,
            writer,
            fit,
            journal,
            progress,
        )
        self.codec = CODECS[writer.type]
        self.tally = Tally()
        self.ids: dict[tuple[str, str], str] = {}
        self.reload()
        self.strangers: frozenset[str] = frozenset()
        """Ids that were on the target when the plan was made: never something we made since."""
        self.sent = {e.source_id for e in self.earlier.values() if e.kind == "file"}
        """Files of which an upload was begun, now or by an earlier run."""
        self._claims: dict[tuple[str, str], str] = {}
        self._alike: dict[tuple[JSON, ...], threading.Lock] = {}
        self.stop = writer.pace.stop
        progress.watch(writer.pace.waiting)
        self.lock = threading.Lock()

    def reload(self) -> None:
        """Read what this plan's journal says now, but for messages: their threads are read instead."""
        self.earlier: dict[tuple[str, str, str, str], Entry] = {
            (e.action, e.kind, e.source_parent, e.source_id): e for e in self.journal.entries(messages=False)
        }

    def record(self, action: Action) -> Entry | None:
        """What this plan's journal says of an action already."""
        return self.earlier.get((action.action, action.kind, action.parent, action.id))

    def settle(self, entity: Entity, target_id: str) -> None:
        """An object is on the target under this id."""
        self.claim(entity.kind, target_id, entity.id)
        self.ids[(entity.kind, entity.id)] = target_id

    def claim(self, kind: str, target_id: str, source_id: str) -> bool:
        """Take an object of the target for one of the source; False where it is another's already."""
        with self.lock:
            return self._claims.setdefault((kind, target_id), source_id) == source_id

    @contextmanager
    def alike(self, *shape: JSON) -> Iterator[None]:
        """One at a time among files that look the same on the target."""
        with self.lock:
            lock = self._alike.setdefault(shape, threading.Lock())
        with lock:
            yield

    def count(self, what: str, number: int = 1, kind: str = "") -> None:
        """Add to the tally."""
        with self.lock:
            setattr(self.tally, what, getattr(self.tally, what) + number)
        self.progress.count(kind or what, number)

    def fail(self, kind: str, id_: str, name: str, reason: str) -> None:
        """Name something that did not arrive."""
        with self.lock:
            self.tally.failed.append(Failure(kind, id_, name, reason))

    def note(self, text: str) -> None:
        """Something the user should know although nothing failed."""
        with self.lock:
            self.tally.notes.append(text)

    def fitted(self, entity: Entity) -> Entity:
        """The object as it is to be written: adapted, with the ids of the target.

        Raises `Unresolved` when it names something that could not be made."""
        adapted, _ = self.codec.adapt(entity, self.fit)
        form = KINDS[entity.kind]
        missing: list[str] = []

        def lookup(kind: str, old: str) -> str | None:
            new = self.ids.get((kind, old))
            if new is None:
                missing.append(old)
            return new

        found = remap(form, adapted, lookup)
        for path, kind, old in refs_of(form, adapted) if missing else ():
            if (kind, old) not in self.ids:
                raise Unresolved(f"{path} names {kind} {old}, which could not be made")
        return found

    def once(
        self, send: Callable[[], Body], find: Callable[[], Body | None], resumed: bool, waiting: float = 0.3
    ) -> tuple[Body, bool]:
        """Send a creating request until its outcome is known. The answer, and whether it was found
        rather than received. Raises `RequestFailed`."""
        if resumed and (found := _looked(find)):
            return found, True
        for attempt in range(TRIES):
            if self.stop.is_set():
                raise RequestFailed("stopped before it was sent")
            try:
                answer = send()
                if not answer.get("id"):
                    raise OutcomeUnknown("the answer to a creating request names no id")
                return answer, False
            except OutcomeUnknown as lost:
                slow = lost.status in GATEWAY
                for seconds in GATEWAY_LOOKS if slow else (waiting * 2**attempt,):
                    self.writer.pace.nap(seconds)
                    if found := _looked(find):
                        return found, True
                if attempt + 1 == TRIES:
                    raise
        raise AssertionError("unreachable")

    def lookup(self, fitted: Entity, since: float) -> Callable[[], Body | None]:
        """Finds an object that may have been made: by its stamp; where it has no room for one, by
        being new, alike and nobody else's."""
        wanted, mark = written_form(fitted), stamp(fitted)

        def find() -> Body | None:
            taken = set(self.ids.values())
            for body in self.writer.newest(fitted.kind, fitted.parent):
                if made_at(body, since) < since - CLOCKS:
                    return None
                if str(body.get("id")) in self.strangers:
                    continue
                present = self.codec.decode(fitted.kind, body, fitted.parent, None)[0]
                if mark and stamp(present) == mark:
                    return body
                alike = not mark and present.id not in taken and written_form(present) == wanted
                if alike and self.claim(fitted.kind, present.id, fitted.id):
                    return body
            return None

        return find

    def at(self, fitted: Entity, address: str) -> Callable[[], Body | None]:
        """Looks at the address that an object is to get, where names are addresses. What lies there and
        is not ours must not be written on: raises `RequestFailed`."""
        wanted, mark = written_form(fitted), stamp(fitted)

        def find() -> Body | None:
            try:
                body = self.writer.get(fitted.kind, address)
            except NotThere:
                return None
            present = self.codec.decode(fitted.kind, body, "", None)[0]
            same = written_form(present) == wanted
            if same if self.source.named or not mark else stamp(present) == mark:
                return body
            raise Taken(f"{address} is the name of another {fitted.kind}, made since the plan")

        return find


def _looked(find: Callable[[], Body | None]) -> Body | None:
    """A look for what became of a request; while nobody can look, its outcome stays unknown."""
    try:
        return find()
    except Taken:
        raise
    except RequestFailed as failed:
        raise OutcomeUnknown(f"whether it was carried out could not be seen: {failed}") from None


def was_sent(earlier: Entry | None) -> bool:
    """Whether an earlier run sent a request whose outcome nobody knows."""
    return earlier is not None and earlier.state == "intended"


def sent_at(earlier: Entry | None) -> float:
    """When an object may have been made at the earliest, in seconds since 1970."""
    return datetime.fromisoformat(earlier.started_at).timestamp() if earlier else time.time()


def make(shop: Workshop, action: Action, entity: Entity) -> None:
    """Create an object of a kind that has its own address and metadata (assistant, vector store)."""
    earlier = shop.record(action)
    if earlier and earlier.state == "done":
        shop.settle(entity, earlier.target_id)
        shop.count("skipped", kind=action.kind)
        return
    try:
        fitted = shop.fitted(entity)
    except Unresolved as failed:
        shop.fail(action.kind, action.id, action.name, str(failed))
        return
    (entry,) = shop.journal.intend([("create", action.kind, action.parent, action.id, action.name)])
    wire, address = shop.codec.create_wire(fitted), action.target_name
    find = shop.at(fitted, address) if address else shop.lookup(fitted, sent_at(earlier))
    try:
        body, found = shop.once(
            lambda: shop.writer.create(action.kind, wire, address),
            find,
            resumed=was_sent(earlier) or bool(address),
        )
    except RequestFailed as failed:
        give_up(shop, action, [entry], failed)
        return
    target_id = str(body["id"])
    if address and not found and not _is_first(shop, action.kind, body):
        shop.note(f"{action.kind} {address} was there already: what was written is a further version of it")
    shop.journal.done(entry, target_id, written=written(shop, action.kind, body))
    shop.settle(entity, target_id)
    shop.count("adopted" if found and earlier is None else "created", kind=action.kind)


def _is_first(shop: Workshop, kind: str, body: Body) -> bool:
    version = shop.codec.decode(kind, body, "", None)[0].facts.get("version")
    return version in (None, "1")


def written(shop: Workshop, kind: str, body: Body, parent: str = "") -> str:
    """The fingerprint of what the target now holds."""
    return fingerprint(shop.codec.decode(kind, body, parent, None)[0])


def give_up(shop: Workshop, action: Action, entries: list[int], failed: RequestFailed) -> None:
    """A certain refusal is noted as failed; an unknown outcome stays an intent, to be looked into by
    the next run of the same apply."""
    if not isinstance(failed, OutcomeUnknown):
        shop.journal.failed(entries, str(failed))
    shop.fail(action.kind, action.id, action.name, str(failed))
