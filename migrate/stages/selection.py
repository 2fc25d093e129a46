"""Select objects of an estate: what was asked for, and what those objects need.

A vector store needs its files. An assistant needs its stores and files, and the agents that it is connected
to. A thread needs its stores and files, and the files that its messages attach or show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.history import snapshots_with
from migrate.errors import BadUsage, IncompleteResult, NothingSelected
from migrate.model import KINDS, Entity
from migrate.model.entity import ObjectKey, creation_time
from migrate.model.references import references_of
from migrate.model.selection import SELECTABLE_KINDS, Selection, not_narrowed_notes
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter
from migrate.stages.object_lookup import ObjectLookup

# Kind -> the kind below it whose references are needed as well.
MEMBER_KINDS = {"vector_store": "vector_store_file", "thread": "message"}
UNDATED_NOTE = "items of conversations carry no time: a conversation is selected by the time it was created"


@dataclass(frozen=True)
class SelectedObjects:
    """The objects of an estate that a selection means.

    `chosen`: those that the user asked for, in the order of the estate. `needed_by`: objects that these need,
    each with the first object that needs it. `left_out`: needed objects that the user excluded, or all of
    them if the user wanted no dependencies. `unknown_ids`: ids that the estate does not have;
    `other_snapshots`: those of them that another snapshot of the archive has, with its number.
    `unmatched_rules`: rules that match nothing. `notes`: sentences about how it was selected.
    """

    chosen: Mapping[ObjectKey, None]
    needed_by: Mapping[ObjectKey, ObjectKey] = field(default_factory=dict)
    left_out: Mapping[ObjectKey, ObjectKey] = field(default_factory=dict)
    unknown_ids: tuple[str, ...] = ()
    other_snapshots: tuple[tuple[str, int], ...] = ()
    unmatched_rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __contains__(self, key: object) -> bool:
        return key in self.chosen or key in self.needed_by

    def holds(self, kind: str, id_: str, parent: str) -> bool:
        """Whether an object is selected, or belongs to a selected one: a message to its thread."""
        owner = KINDS[kind].parent
        return (owner, parent) in self if owner else (kind, id_) in self

    def owner(self, kind: str, id_: str) -> str:
        """The id of the object that needs this one, or '' where it was asked for."""
        return self.needed_by.get((kind, id_), ("", ""))[1]

    def ids(self, kind: str) -> frozenset[str]:
        """Ids of the selected objects of one kind, and of those that they need."""
        return frozenset(id_ for of, id_ in (*self.chosen, *self.needed_by) if of == kind)


def select_objects(
    estate: Estate,
    selection: Selection,
    newest_messages: Mapping[str, float | None] | None = None,
    with_needed: bool = True,
) -> SelectedObjects | None:
    """The objects that a selection means, or None where it means the whole estate.

    `newest_messages`: thread -> time of its newest message in seconds since 1970, None where it has none; for
    an estate whose messages were not read. A thread that it lacks counts by its own time. `with_needed`: find
    out what the selected objects need; that reads all messages of selected threads.
    Raises `BadUsage` for an id or a name that several objects have, or that is of a kind that cannot be
    selected by itself; `NothingSelected` where no object matches, and `IncompleteResult` where the snapshot
    could not list all that might match."""
    if selection.is_whole:
        return None
    search = _Search(estate, selection, newest_messages)
    chosen = dict.fromkeys(search.chosen())
    if not chosen:
        criteria = replace(selection, dependencies=True).options()
        nothing = f"nothing in {_place(estate)} matches {' '.join(criteria)}"
        if unread := unread_lists(estate, selection):
            raise IncompleteResult(
                nothing,
                "; ".join(f"its list of {KINDS[kind].plural} is incomplete: {why}" for kind, why in unread),
                "take another snapshot, or name an earlier one: ARCHIVE@NUMBER",
            )
        raise NothingSelected(
            nothing,
            _why_nothing(search),
            "list what it has: ls ARCHIVE [--kind KIND]",
        )
    needed, left_out = search.dependencies(chosen) if with_needed else ({}, {})
    return SelectedObjects(
        chosen=chosen,
        needed_by=needed,
        left_out=left_out,
        unknown_ids=tuple(search.unknown_ids),
        other_snapshots=tuple(search.other_snapshots),
        unmatched_rules=tuple(search.rules.unmatched_rules()),
        notes=(
            *((UNDATED_NOTE,) if search.saw_undated else ()),
            *not_narrowed_notes(selection, {kind for kind, _ in chosen}),
        ),
    )


def unread_lists(estate: Estate, selection: Selection) -> list[tuple[str, str]]:
    """Kinds of which selected objects may be missing in a snapshot, because it could not list all of them,
    each with the reason. Empty for a live estate."""
    if estate.is_live:
        return []
    wanted = selection.needed_lists()
    return [
        (kind, why) for kind, parent, why in estate.snapshot.incomplete() if not parent and kind in wanted
    ]


def _why_nothing(search: _Search) -> str:
    elsewhere = "".join(f"; snapshot {number} has {id_}" for id_, number in search.other_snapshots)
    return f"it has no object {', '.join(search.unknown_ids)}{elsewhere}" if search.unknown_ids else ""


class _Search:
    """One pass over an estate. Which rules matched nothing is known when `chosen` has ended."""

    def __init__(
        self, estate: Estate, selection: Selection, newest_messages: Mapping[str, float | None] | None = None
    ) -> None:
        self._estate, self._selection, self._newest = estate, selection, newest_messages
        self.rules = ObjectFilter(selection.include, selection.exclude)
        self.unknown_ids: list[str] = []
        self.other_snapshots: list[tuple[str, int]] = []
        self._lookup = ObjectLookup(estate.snapshot.conn, estate.snapshot)
        self.saw_undated = False
        self._named = {key for text in selection.ids if (key := self._find(text))}
        self._narrowed = selection.narrowed_kinds()

    def chosen(self) -> Iterator[ObjectKey]:
        """The objects that were asked for, files first, threads last."""
        for kind in SELECTABLE_KINDS:
            if self._may_choose(kind):
                yield from ((kind, e.id) for e in self._estate.entities(kind) if self._is_chosen(e))

    def _may_choose(self, kind: str) -> bool:
        """Whether any object of a kind can be chosen: a kind to which nothing refers is not read."""
        named = any(of == kind for of, _ in (*self._named, *self._selection.include))
        return named or kind in self._narrowed

    def _is_chosen(self, entity: Entity) -> bool:
        names = _names(entity)
        included = self.rules.includes(entity.kind, names)
        if not (included or (entity.kind, entity.id) in self._named or entity.kind in self._narrowed):
            return False
        if self.rules.excludes(entity.kind, names):
            return False
        return self._fits_dates(entity) and self._fits_metadata(entity)

    def _fits_metadata(self, entity: Entity) -> bool:
        metadata = entity.fields.get("metadata")
        return entity.kind == "file" or self._selection.fits_metadata(
            metadata if isinstance(metadata, Mapping) else {}
        )

    def _fits_dates(self, entity: Entity) -> bool:
        if entity.kind != "thread" or not self._selection.has_dates:
            return True
        if self._newest is None:
            newest = newest_message_time(self._estate, entity.id)
        else:
            newest = self._newest.get(entity.id)
        if newest is None:
            listing = self._estate.snapshot.listing_bodies("message", entity.id)
            self.saw_undated = self.saw_undated or len(listing) > 0
            newest = creation_time(entity.facts, -1.0)
        return self._selection.fits_dates(newest if newest >= 0 else None)

    def dependencies(
        self, chosen: Mapping[ObjectKey, None]
    ) -> tuple[dict[ObjectKey, ObjectKey], dict[ObjectKey, ObjectKey]]:
        """What the chosen objects need and what that needs, each with the first object that needs it: what
        comes along, and what is left out."""
        needed: dict[ObjectKey, ObjectKey] = {}
        left_out: dict[ObjectKey, ObjectKey] = {}
        waiting = list(chosen)
        while waiting:
            owner = waiting.pop()
            for key in _needs(self._estate, owner):
                found = self._estate.objects(key[0]).get(key[1])
                if found is None or key in chosen or key in needed or key in left_out:
                    continue
                comes_along = self._selection.dependencies and not self.rules.excludes(
                    found.kind, _names(found)
                )
                (needed if comes_along else left_out)[key] = owner
                waiting += [key] if comes_along else []
        return needed, left_out

    def _find(self, text: str) -> ObjectKey | None:
        """The object of an id, of a name, or of a beginning of an id that only one object has."""
        if found := self._lookup.find_one(text):
            return found.kind, found.id
        snapshot = self._estate.snapshot
        for kind, parent, _ in snapshot.find(text):
            owner = KINDS[kind].parent
            raise BadUsage(
                f"{text} is a {kind}; only {', '.join(SELECTABLE_KINDS)} can be selected",
                f"it belongs to the {owner} {parent}" if owner else "",
                f"--id {parent} selects the whole {owner}" if owner else "",
            )
        self.unknown_ids.append(text)
        number = next(snapshots_with(snapshot.conn, storable_text(text), snapshot.info.id), None)
        if number is not None:
            self.other_snapshots.append((text, number))
        return None


def _names(entity: Entity) -> list[str]:
    """What a rule may match of an object."""
    return [name for name in (entity.id, entity.name) if name]


def newest_message_time(estate: Estate, thread: str) -> float | None:
    """When the newest message of a thread was created, in seconds since 1970. None where the thread is empty
    or its messages carry no time: items of a conversation never do."""
    listing = estate.snapshot.listing_bodies("message", thread)
    if not len(listing):
        return None
    # Messages are in the order of their creation: the last one is the newest.
    found = creation_time(listing.read(len(listing) - 1), -1.0)
    return found if found >= 0 else None


def referenced_ids(estate: Estate, kind: str) -> set[str]:
    """Ids of a kind that the objects of an estate name, by themselves and by what they hold."""
    every = ((of, id_) for of in SELECTABLE_KINDS for id_ in estate.objects(of))
    return {id_ for key in every for named, id_ in _needs(estate, key) if named == kind}


def _place(estate: Estate) -> str:
    return estate.side.url if estate.is_live else f"snapshot {estate.snapshot.info.id}"


def _needs(estate: Estate, key: ObjectKey) -> Iterator[ObjectKey]:
    """What one object names, by itself and by what it holds. An id of no object is not needed: the plan
    reports it."""
    kind, id_ = key
    entity = estate.objects(kind)[id_]
    yield from ((meant, named) for _, meant, named in references_of(entity))
    member = MEMBER_KINDS.get(kind, "")
    for below in estate.iter_members(member, id_) if member else ():
        yield from ((meant, named) for _, meant, named in references_of(below))
