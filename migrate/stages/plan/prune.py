"""What a plan with --prune deletes: only what we made from this source, only after it was read whole.

What others changed since, or wrote into, is told and stays. Without --prune, files that were taken out of a
store on the source stay in ours, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from migrate.errors import OperationRefused
from migrate.model import Entity
from migrate.model.loss import EVERY_OBJECT, Loss
from migrate.model.results.plan import Action
from migrate.stages.estate import Estate, stamp
from migrate.stages.fingerprints import object_fingerprint
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.journal_state import JournalState

PRUNED_KINDS = ("thread", "assistant", "vector_store")
"""In the order in which they are deleted. Files are left: deleting one takes it out of every store."""
ROW = "vector_store_file"
MAX_PRUNED_NAMED = 5
"""Files of a store that a line names."""


@dataclass
class PrunePlanner:
    """Finds what the source no longer has. `conversations`: the messages on the target of the threads that
    may be deleted. `overwrite`: what others changed since is deleted all the same."""

    source: Estate
    target: Estate
    conversations: Estate | None
    pairs: ObjectPairs
    known: JournalState
    in_place: frozenset[tuple[str, str]]
    overwrite: bool = False
    losses: list[Loss] = field(default_factory=list)
    staying: list[tuple[str, str, str]] = field(default_factory=list)
    """Kind, parent and id on the target of rows that we made, the source no longer has, and that stay."""

    def deletions(self) -> list[Action]:
        """What this archive's journal made from this very source, and the source no longer has.

        A stamp is no proof: another estate of the same type may have been moved here too. Raises
        `OperationRefused` after a partial or filtered reading."""
        source = self.source
        if source.snapshot.info.state != "complete" or not any(source.snapshot.counts().values()):
            raise OperationRefused(
                "--prune needs a complete snapshot that holds something",
                "what was not read cannot be told from what was deleted",
                "take a complete snapshot, or plan without --prune",
            )
        rows = list(self._rows(delete=True))
        for kind in PRUNED_KINDS:
            if kind == "thread" and not source.codec.owns_rest:
                continue
            _must_be_whole(source, kind)
            rows += self._objects(kind)
        return rows

    def left_in_stores(self) -> None:
        """Tell which files of ours stay in a store although they were taken out on the source."""
        for _ in self._rows(delete=False):
            raise AssertionError("nothing is deleted without --prune")

    def _objects(self, kind: str) -> Iterator[Action]:
        present = self.target.threads_by_id if kind == "thread" else self.target.objects(kind)
        kept = set(self.pairs.ids.get(kind, {}).values())
        for id_, entity in present.items():
            old = self.known.made.get((kind, id_))
            if id_ in kept or old is None:
                continue
            if why := self._not_ours(entity, old):
                self.losses.append(
                    Loss(kind, old, EVERY_OBJECT, "adapted",
                         f"gone on the source; {id_} on the target stays: {why}",
                         "delete it there by hand if nobody needs it", "", entity.name)
                )  # fmt: skip
                continue
            yield Action(
                action="delete", kind=kind, id=old, name=entity.name, target_id=id_,
                before=object_fingerprint(entity),
            )  # fmt: skip

    def _not_ours(self, entity: Entity, old: str) -> str:
        """Why what lies under an id of ours must not be deleted, or ''. Where ids are names, only how we left
        it tells, or our stamp, unless that names a name again."""
        mark = self.known.written.get((entity.kind, "", old), "")
        if entity.kind == "thread" and self._talked_on(entity, old):
            return "others wrote in it since"
        if mark == object_fingerprint(entity):
            return ""
        named = self.target.names_are_ids and entity.kind == "assistant"
        proved = not named or (not self.source.names_are_ids and stamp(entity) == f"{self.source.type}:{old}")
        if proved and (self.overwrite or not mark):
            return ""
        return "others changed it since" if proved else "nobody can say whether it is still ours"

    def _talked_on(self, thread: Entity, old: str) -> bool:
        if self.conversations is None:
            return False
        ours = {arrived.id for arrived in self.known.arrived(old).values()}
        return any(
            message.id not in ours for message in self.conversations.iter_members("message", thread.id)
        )

    def _rows(self, delete: bool) -> Iterator[Action]:
        """Rows of stores: files that we put into one and that the source's no longer holds."""
        for store, there in self.pairs.ids.get("vector_store", {}).items():
            if ("vector_store", store) in self.in_place or store not in self.source.objects("vector_store"):
                continue
            if there not in self.target.objects("vector_store"):
                continue
            held = {self.pairs.right("file", file) for file in self.source.store_files[store]}
            gone = [
                (row, old)
                for row in self.target.members(ROW, there)
                if row.id not in held and (old := self.known.rows.get((there, row.id)))
            ]
            whole = self.source.is_complete(ROW, store) and not self.source.why_filtered(ROW)
            if gone and not (delete and whole):
                self._tell(store, there, [row for row, _ in gone], whole)
            for row, old in gone if delete and whole else ():
                yield Action(
                    action="delete", kind=ROW, id=old, parent=store, name=self._name(row), target_id=row.id,
                    target_parent=there, before=object_fingerprint(row),
                )  # fmt: skip

    def _tell(self, store: str, there: str, rows: list[Entity], whole: bool) -> None:
        self.staying += [(ROW, there, row.id) for row in rows]
        more = f" and {len(rows) - MAX_PRUNED_NAMED:,} more" if len(rows) > MAX_PRUNED_NAMED else ""
        names = ", ".join(map(self._name, rows[:MAX_PRUNED_NAMED]))
        owner = self.source.objects("vector_store")[store]
        reason = f"{len(rows):,} file(s) that the source took out of it stay in {there}: {names}{more}"
        way_out = "--prune takes them out" if whole else "its files were not read whole: snapshot again"
        self.losses.append(Loss("vector_store", store, "files", "adapted", reason, way_out, "", owner.name))

    def _name(self, row: Entity) -> str:
        held = self.target.objects("file").get(row.id)
        return held.name if held and held.name else row.id


def _must_be_whole(source: Estate, kind: str) -> None:
    """What a snapshot was told to leave out, or only given by id, cannot be told from what was deleted."""
    state, remark = source.snapshot.scope(kind)
    unread = "" if state == "complete" else f"{kind}: {state or 'not read'}"
    why = source.why_filtered(kind) or remark or unread
    if why:
        raise OperationRefused(
            f"--prune needs a snapshot that read every {kind}",
            why,
            "take a snapshot without filters, or plan without --prune",
        )
