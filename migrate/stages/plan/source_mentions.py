"""Ids of the source that its owner wrote into texts: found, told, and where asked for replaced.

References that the service itself follows stand at declared paths and are replaced by `model/references.py`.
These stand in instructions, in the enum of a function, in metadata: no service follows them, but the code of
its owner does.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migrate.codecs.capabilities import Capabilities
from migrate.model import JSON, KINDS, Entity
from migrate.model.estate_location import EstateLocation
from migrate.model.json_paths import TextPath, iter_texts, replace_strings_at, replace_texts
from migrate.model.project_resources import DEPLOYMENT_LABEL, iter_local_names, toolbox_addresses
from migrate.model.references import IdLookup
from migrate.model.stamp import remove_stamp_keys
from migrate.stages.estate import Estate

PREFIX = re.compile(r"[A-Za-z]+[_-]")
"""How ids begin: `asst_`, `vs_`, `file-`. Texts are searched for the beginnings that this source uses."""
BODY = r"[A-Za-z0-9_-]+"
BARE = r"[A-Za-z0-9][A-Za-z0-9-]{15,}"
"""An id without such a beginning, as long as such ids are."""

WHERE: Mapping[str, tuple[str, ...]] = {
    "vector_store": ("name", "description", "metadata"),
    "vector_store_file": ("attributes",),
    "assistant": (
        "description",
        "instructions",
        "tools",
        "tool_resources",
        "response_format",
        "definition",
        "metadata",
    ),
    "thread": ("metadata",),
}
"""Kind -> the fields whose texts are looked through. Of messages nothing is ever replaced: it was said so."""

REPLACED: Mapping[str, frozenset[str]] = {
    "vector_store": frozenset({"file"}),
    "vector_store_file": frozenset({"file", "vector_store"}),
    "assistant": frozenset({"file", "vector_store"}),
    "thread": frozenset({"file", "vector_store", "assistant"}),
}
"""Kind -> kinds whose ids can be replaced in it: those that are made before it, so the new id is known."""


@dataclass(frozen=True)
class IdMention:
    """An id in a text: the field it stands in and the path, the kind and id it names."""

    place: TextPath
    kind: str
    id: str

    @property
    def field(self) -> str:
        return self.place[0]


class SourceIds:
    """The ids of a source, looked for in texts: one scan of each text, whatever the number of ids."""

    def __init__(self, source: Estate) -> None:
        self._source = source

    def mentions(self, entity: Entity) -> list[IdMention]:
        """Every id that an object's texts name, each once a field; declared references are not among them."""
        if not self._pattern or entity.kind not in WHERE:
            return []
        found: dict[IdMention, None] = {}
        for place, text in _texts(entity):
            for kind, id_ in self.named_in(text):
                found[IdMention(place, kind, id_)] = None
        return list(found)

    def named_in(self, text: str) -> Iterator[tuple[str, str]]:
        """Kind and id of what a text names."""
        if self._pattern and (self._bare or any(begin in text for begin in self._begins)):
            for match in self._pattern.finditer(text):
                if known := self._known(match[0]):
                    yield known

    def in_message(self, message: Entity) -> Iterator[tuple[str, str]]:
        """What a message names. Most name nothing: that costs a look for each way in which ids begin."""
        for part in message.fields.get("content") or ():
            text = part.get("text") if isinstance(part, Mapping) else None
            value = text.get("value") if isinstance(text, Mapping) else text
            if isinstance(value, str):
                yield from self.named_in(value)
        for _, value in iter_texts(_own(message.fields.get("metadata"))):
            yield from self.named_in(value)

    def replaced(self, entity: Entity, lookup: IdLookup, capabilities: Capabilities) -> Entity:
        """The object with the new ids in its texts, as far as they are known by the time it is made."""
        kinds = REPLACED.get(entity.kind)
        if not self._pattern or not kinds or not self.mentions(entity):
            return entity
        pattern = self._pattern

        def new(match: re.Match[str]) -> str:
            known = self._known(match[0])
            if known is None or known[0] not in kinds:
                return match[0]
            return match[0].replace(known[1], lookup(*known) or known[1])

        def change(place: TextPath, text: str) -> str:
            changed = pattern.sub(new, text)
            most = capabilities.metadata_value_max if place[0] == "metadata" else None
            return text if most is not None and len(changed) > most else changed

        kept = _references(entity)
        fields = {
            name: _own(entity.fields[name], name) for name in WHERE[entity.kind] if name in entity.fields
        }
        fresh = replace_texts(fields, lambda at, text: text if text in kept else change(at, text))
        if isinstance(fresh.get("metadata"), Mapping):  # our own keys name old ids on purpose
            fresh = {**fresh, "metadata": {**entity.fields["metadata"], **fresh["metadata"]}}
        return entity.with_fields(**fresh)

    def _known(self, token: str) -> tuple[str, str] | None:
        for id_ in (token, token.rstrip("-_")):
            if (kind := self._ids.get(id_)) is not None:
                return kind, id_
        return None

    @cached_property
    def _ids(self) -> dict[str, str]:
        """Id -> kind. Names of agents are words, and keys of a config directory are names: none of them."""
        if self._source.codec.ids_are_keys:
            return {}
        kinds = ["file", "vector_store", *([] if self._source.names_are_ids else ["assistant"])]
        found = {thread.id: "thread" for thread in self._source.iter_threads()}
        return found | {id_: kind for kind in kinds for id_ in self._source.objects(kind)}

    @cached_property
    def _begins(self) -> tuple[str, ...]:
        return tuple(sorted({match[0] for id_ in self._ids if (match := PREFIX.match(id_))}))

    @cached_property
    def _bare(self) -> bool:
        return any(not PREFIX.match(id_) for id_ in self._ids)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        ways = [f"(?:{'|'.join(map(re.escape, self._begins))}){BODY}"] if self._begins else []
        ways += [BARE] if self._bare else []
        return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(ways)})") if ways else None


def _texts(entity: Entity) -> Iterator[tuple[TextPath, str]]:
    """The texts of an object, but for declared references."""
    fields = replace_strings_at(entity.fields, KINDS[entity.kind].references, lambda kind, old: "")
    for name in WHERE[entity.kind]:
        yield from iter_texts(_own(fields.get(name), name), (name,))


def _references(entity: Entity) -> frozenset[str]:
    """The ids at declared paths: replaced already, and not looked at again."""
    found: set[str] = set()

    def take(_: str, old: str) -> str:
        found.add(old)
        return old

    replace_strings_at(entity.fields, KINDS[entity.kind].references, take)
    return frozenset(found)


def _own(value: JSON, field: str = "metadata") -> JSON:
    """A field without what is ours in it."""
    return remove_stamp_keys(value) if field == "metadata" and isinstance(value, Mapping) else value


MAX_REFERENCES_SHOWN = 80
"""Characters of a name in a line of the plan."""

ReferenceNote = tuple[str, str, str]
"""Field, reason, way out."""


def source_references(
    fitted: Entity, deployments: Container[str], source: EstateLocation | None
) -> Iterator[ReferenceNote]:
    """What of an object, as it will be on the target, only the place it came from knows. `source` is None
    where the target is that very place."""
    if source is None:
        return
    told: set[tuple[str, str]] = set()
    for path, what, name in iter_local_names(fitted.fields) if fitted.kind == "assistant" else ():
        if what == DEPLOYMENT_LABEL and name in deployments:
            continue
        field = path.partition("[")[0].partition(".")[0]
        if (field, name) not in told:
            told.add((field, name))
            reason = f"names {what} {_short(name)}, which lies on the source; the target may have none of it"
            yield field, f"{path} {reason}", "make it there under this name, or change the agent"
    for url, box in toolbox_addresses(fitted.fields) if fitted.kind == "assistant" else ():
        if not source.name_in(url):  # told as the source's own place below
            reason = f"tools[].server_url names the toolbox {_short(box)} of a project; no toolbox is moved"
            yield "tools", reason, "see that the target may use it there, or make it in the target"
    for field in WHERE.get(fitted.kind, ()):
        for place, text in iter_texts(fitted.fields.get(field), (field,)):
            found = source.name_in(text)
            if found and (field, found) not in told:
                told.add((field, found))
                reason = f"{'.'.join(place)} names the source's own place, {_short(found)}"
                yield field, reason, "it arrives as it is and leads back there: change it by hand"


def _short(name: str) -> str:
    return name if len(name) <= MAX_REFERENCES_SHOWN else f"{name[:MAX_REFERENCES_SHOWN]}..."
