"""Which ids that are gone the messages of a target name.

A message names the id that its file had when the message was written. That is the id of the snapshot only in
the thread of the snapshot itself; a thread that came back, or was moved, has the ids of that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set

from migrate.model.entity import ObjectKey
from migrate.stages.estate import Estate


class DeadMentions:
    """Says for one thread after the other which ids that are gone its messages name.

    `recreated`: (kind, id on the target that is gone) -> id on the source. `target_threads`: ids that a
    thread of the source may have on the target. `conversations`: messages of those that were read."""

    def __init__(
        self,
        recreated: Mapping[ObjectKey, str],
        target_threads: Callable[[str], Sequence[str]],
        conversations: Estate | None,
    ) -> None:
        self._target_threads, self._conversations = target_threads, conversations
        # (kind, id on the source) -> ids that it had on the target, the likeliest first.
        self.ids: dict[ObjectKey, list[str]] = {}
        for (kind, id_), source_id in recreated.items():
            self.ids.setdefault((kind, source_id), []).append(id_)
        self._every_id = {id_ for ids in self.ids.values() for id_ in ids}
        # Thread -> those of the ids that its messages have; None where they were not read.
        self._present: dict[str, Set[str] | None] = {}

    def named(self, thread: str, keys: Set[ObjectKey]) -> Sequence[str]:
        """The ids that are gone by which messages of a thread name some objects of the source."""
        if thread not in self._present:
            self._present[thread] = self._ids_in(self._target_threads(thread))
        present = self._present[thread]
        if present is None:
            return sorted(self.ids[key][0] for key in keys)
        return sorted(id_ for key in keys for id_ in self.ids[key] if id_ in present)

    def _ids_in(self, threads: Sequence[str]) -> Set[str] | None:
        messages = self._conversations.snapshot if self._conversations else None
        read = [
            id_ for id_ in threads if messages and messages.listing_state("message", id_)[0] == "complete"
        ]
        found: set[str] = set()
        for thread in read:
            for _, text in messages.texts("message", thread) if messages else ():
                found |= {id_ for id_ in self._every_id - found if f'"{id_}"' in text}
        return found if read else None
