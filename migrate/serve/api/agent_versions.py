"""The versions of an agent that the readings of an archive saw.

A snapshot has the newest version of each agent, and those that its users get. The earlier snapshots of the
same project have the versions that were the newest then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from migrate.archive.bodies import load_body
from migrate.archive.snapshots.history import read_body, trace_object
from migrate.model.entity import JSON
from migrate.model.masked_values import mask_body
from migrate.model.served_version import newest_version
from migrate.serve.api.answers import ApiAnswer, json_answer
from migrate.serve.api.body_texts import dump_json
from migrate.serve.api.list_pages import PROJECT_ENVELOPE, ROWS_LIMIT, PageQuery, unknown_cursor
from migrate.serve.api.lookups import ApiCall, Ids, locate
from migrate.serve.api.refusals import (
    INCOMPLETE_HEADER,
    header_text,
    incomplete_listing,
    not_in_archive,
)
from migrate.serve.api.resources import AGENT_RESOURCE, no_agent_version

VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class SeenVersions:
    """The versions of one agent by their number. `newest`: the highest number that it had."""

    bodies: Mapping[int, Mapping[str, JSON]]
    newest: int

    @property
    def gap(self) -> str:
        """Why there may be more versions, or ''."""
        unseen = [number for number in range(1, self.newest + 1) if number not in self.bodies]
        if not unseen:
            return ""
        which = f"version {unseen[0]}" if len(unseen) == 1 else f"{len(unseen)} of {self.newest} versions"
        return f"no reading saw {which}; a reading keeps the newest version, and those that users get"


def list_agent_versions(call: ApiCall, asked: Ids) -> ApiAnswer:
    """A page of the versions of an agent. Raises `ApiRefusal`."""
    seen = _seen_versions(call, asked)
    if seen.gap and not call.partial:
        raise incomplete_listing(seen.gap)
    numbers = sorted(seen.bodies)
    ids = [str(seen.bodies[number].get("id")) for number in numbers]
    query = PageQuery.from_query(call.query, ROWS_LIMIT)
    cursors: dict[str, int | None] = {}
    for name, id_ in (("after", query.after), ("before", query.before)):
        if id_ is not None and id_ not in ids:
            raise unknown_cursor(name, id_)
        cursors[name] = None if id_ is None else ids.index(id_)
    places, has_more = query.choose(range(len(numbers)), cursors["after"], cursors["before"])
    rows = ",".join(dump_json(mask_body(seen.bodies[numbers[place]], keep_shape=True)) for place in places)
    ends = (ids[places[0]], ids[places[-1]]) if places else (None, None)
    tail = dump_json(PROJECT_ENVELOPE.tail(ends[0], ends[1], has_more))
    headers = {INCOMPLETE_HEADER: header_text(seen.gap)} if seen.gap else {}
    return json_answer(f"{PROJECT_ENVELOPE.head}{rows}],{tail[1:]}", headers)


def read_agent_version(call: ApiCall, asked: Ids) -> ApiAnswer:
    """One version of an agent. Raises `ApiRefusal`."""
    name, number = asked
    seen = _seen_versions(call, (name,))
    wanted = _version_number(number)
    if wanted in seen.bodies:
        return json_answer(dump_json(mask_body(seen.bodies[wanted], keep_shape=True)))
    refusal = no_agent_version(name, number)
    if 0 < wanted <= seen.newest:
        raise not_in_archive(f"{refusal.message} in the archive, and it may exist: {seen.gap}.")
    raise refusal


def _seen_versions(call: ApiCall, asked: Ids) -> SeenVersions:
    """Every version that a snapshot of the project saw, up to the one that answers."""
    call.take_time()
    found = locate(call, AGENT_RESOURCE, asked)
    agent = load_body(found.text())
    bodies = dict[int, Mapping[str, JSON]]()
    for earlier in [*_earlier_bodies(call, found.ids[-1]), agent]:
        versions = earlier.get("versions") if isinstance(earlier, dict) else None
        for version in versions.values() if isinstance(versions, dict) else ():
            number = _version_number(version.get("version")) if isinstance(version, dict) else 0
            if number:
                bodies[number] = version
    return SeenVersions(bodies, max([_version_number(newest_version(agent)), *bodies]))


def _earlier_bodies(call: ApiCall, name: str) -> list[JSON]:
    """The bodies of an agent in the snapshots before the one that answers, oldest first, each once."""
    numbers = dict[int, None]()
    for trace in trace_object(call.reader.conn, name):
        if (trace.type, trace.url, trace.kind) == (call.estate.type, call.estate.url, "assistant"):
            for sighting in trace.sightings:
                if sighting.body is not None and sighting.snapshot.id < call.estate.shown.id:
                    numbers[sighting.body] = None
    return [read_body(call.reader.conn, number) for number in numbers]


def _version_number(text: JSON) -> int:
    """The number of a version; 0 for what is no number, as the service writes it."""
    return int(text) if isinstance(text, str) and VERSION_NUMBER.fullmatch(text) else 0
