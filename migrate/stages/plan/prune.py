"""What a plan with --prune deletes: objects that this program created and that the source no longer has.

Objects that others changed since, or wrote into, stay, and the plan reports them. Without --prune, files that
were removed from a store of the source stay in its counterpart, and the plan reports that too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migrate.errors import OperationRefused
from migrate.model import Entity
from migrate.model.first_of import first_of
from migrate.model.loss import EVERY_OBJECT, Loss
from migrate.model.results.plan import Action
from migrate.model.stamp import stamp
from migrate.stages.estate import Estate
from migrate.stages.object_fingerprints import object_fingerprint
from migrate.stages.plan.decision import existing_action, object_loss
from migrate.stages.plan.object_decider import ObjectDecider
from migrate.stages.plan.planner import MAX_FILES_NAMED

# In the order of deletion. Files stay: deleting one removes it from every store.
PRUNED_KINDS = ("thread", "assistant", "vector_store")
STORE_FILE = "vector_store_file"


class _RemovedFiles(NamedTuple):
    """Files that the source's store no longer contains: source id, and the row on the target.

    `is_complete`: the store of the source was read completely."""

    store: Entity
    target_store: str
    rows: list[tuple[str, Entity]]
    is_complete: bool


class PrunePlanner:
    """Finds what the source no longer has. `conversations`: the messages on the target of the threads that
    may be deleted."""

    def __init__(self, decider: ObjectDecider, target: Estate, conversations: Estate | None) -> None:
        self.source, self.pairs, self.journal = decider.source, decider.pairs, decider.journal
        self.in_place = decider.settings.in_place
        # Objects that others changed since are deleted too.
        self.overwrite = decider.on_conflict == "overwrite"
        self.target, self.conversations = target, conversations
        self.losses: list[Loss] = []
        # Kind, parent and id on the target of created files in stores that stay.
        self.staying: list[tuple[str, str, str]] = []

    def deletions(self) -> list[Action]:
        """Deletions of what the journal of this archive created from this source.

        A stamp proves nothing here: another estate of the same type may have been moved to the target too.
        Raises `OperationRefused` for an incomplete or filtered snapshot."""
        snapshot = self.source.snapshot
        if snapshot.info.state != "complete" or not any(snapshot.counts().values()):
            raise OperationRefused(
                "--prune needs a complete snapshot that is not empty",
                "what was not read cannot be distinguished from what was deleted",
                "take a complete snapshot, or plan without --prune",
            )
        actions: list[Action] = []
        for removed in self._removed_files():
            if removed.is_complete:
                actions += self._file_deletions(removed)
            else:
                self._note_staying(removed)
        for kind in PRUNED_KINDS:
            if kind == "thread" and not self.source.codec.lists_everything:
                continue
            _check_complete(self.source, kind)
            actions += self._object_deletions(kind)
        return actions

    def note_removed_files(self) -> None:
        """Report files that stay in a store although they were removed from it on the source."""
        for removed in self._removed_files():
            self._note_staying(removed)

    def _object_deletions(self, kind: str) -> Iterator[Action]:
        existing = self.target.objects(kind)
        paired = set(self.pairs.ids.get(kind, {}).values())
        for target_id, entity in existing.items():
            source_id = self.journal.created.get((kind, target_id))
            if target_id in paired or source_id is None:
                continue
            if why := self._why_kept(entity, source_id):
                reason = f"gone on the source; {target_id} on the target stays: {why}"
                hint = "delete it there by hand if it is not needed"
                loss = Loss(kind, source_id, EVERY_OBJECT, "adapted", reason, hint, "", entity.name)
                self.losses.append(loss)
                continue
            yield existing_action("delete", kind, source_id, entity, name=entity.name)

    def _why_kept(self, entity: Entity, source_id: str) -> str:
        """Why the object at an id that this program created must not be deleted, or ''.

        Where ids are names, another object may have taken the name: only the fingerprint that the last move
        left proves it, or the stamp, unless that names a name again."""
        if entity.kind == "thread" and self._has_foreign_messages(entity, source_id):
            return "others wrote in it since"
        fingerprint = self.journal.fingerprints.get((entity.kind, "", source_id), "")
        if fingerprint == object_fingerprint(entity):
            return ""
        by_name = self.target.names_are_ids and entity.kind == "assistant"
        own_stamp = f"{self.source.type}:{source_id}"
        proven = not by_name or (not self.source.names_are_ids and stamp(entity) == own_stamp)
        if proven and (self.overwrite or not fingerprint):
            return ""
        return "others changed it since" if proven else "it may have been replaced by another of this name"

    def _has_foreign_messages(self, thread: Entity, source_id: str) -> bool:
        if self.conversations is None:
            return False
        arrived = {message.id for message in self.journal.arrived_messages(source_id, thread.id).values()}
        messages = self.conversations.iter_members("message", thread.id)
        return any(message.id not in arrived for message in messages)

    def _removed_files(self) -> Iterator[_RemovedFiles]:
        """Stores with files that this program put into them and that the source's no longer contains."""
        stores, target_stores = (estate.objects("vector_store") for estate in (self.source, self.target))
        for store, target_store in self.pairs.ids.get("vector_store", {}).items():
            is_shared = ("vector_store", store) in self.in_place
            if is_shared or store not in stores or target_store not in target_stores:
                continue
            expected = {self.pairs.right("file", file) for file in self.source.store_files[store]}
            created = self.journal.created_store_files
            rows = [
                (source_id, row)
                for row in self.target.members(STORE_FILE, target_store)
                if row.id not in expected and (source_id := created.get((target_store, row.id)))
            ]
            is_complete = self.source.is_complete(STORE_FILE, store)
            if rows:
                is_complete = is_complete and not self.source.why_filtered(STORE_FILE)
                yield _RemovedFiles(stores[store], target_store, rows, is_complete)

    def _file_deletions(self, removed: _RemovedFiles) -> Iterator[Action]:
        place = {"parent": removed.store.id, "target_parent": removed.target_store}
        for source_id, row in removed.rows:
            yield existing_action("delete", STORE_FILE, source_id, row, name=self._file_name(row), **place)

    def _note_staying(self, removed: _RemovedFiles) -> None:
        rows = [row for _, row in removed.rows]
        self.staying += [(STORE_FILE, removed.target_store, row.id) for row in rows]
        names = first_of(list(map(self._file_name, rows)), MAX_FILES_NAMED)
        reason = (
            f"{len(rows):,} file(s) removed from it on the source stay in {removed.target_store}: {names}"
        )
        hint = "--prune removes them"
        if not removed.is_complete:
            hint = "its files were not read completely: snapshot again"
        self.losses.append(object_loss(removed.store, "files", reason, "adapted", hint))

    def _file_name(self, row: Entity) -> str:
        file = self.target.objects("file").get(row.id)
        return file.name if file and file.name else row.id


def _check_complete(source: Estate, kind: str) -> None:
    """Refuse to prune a kind of which the snapshot does not have every object."""
    state, remark = source.snapshot.listing_state(kind)
    unread = "" if state == "complete" else f"{kind}: {state or 'not read'}"
    why = source.why_filtered(kind) or remark or unread
    if why:
        raise OperationRefused(
            f"--prune needs a snapshot that read every {kind}",
            why,
            "take a snapshot without filters, or plan without --prune",
        )
