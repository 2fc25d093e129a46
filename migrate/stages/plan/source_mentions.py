"""Find ids and addresses of the source in texts, and replace the ids with --rewrite-ids.

References that the service itself follows are at declared paths and are replaced by `model/references.py`.
Those here are in instructions, in the enum of a function, or in metadata: no service follows them, but code
of the owner does.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migrate.codecs.capabilities import Capabilities
from migrate.model import JSON, KINDS, Entity
from migrate.model.estate_location import EstateLocation
from migrate.model.json_paths import TextPath, iter_texts, replace_strings_at, replace_texts, strings_at
from migrate.model.project_resources import DEPLOYMENT_LABEL, iter_local_names, toolbox_addresses
from migrate.model.references import IdLookup
from migrate.model.stamp import remove_stamp_keys
from migrate.stages.estate import Estate

# How ids begin: `asst_`, `vs_`, `file-`. Texts are searched for the prefixes that occur in this source.
ID_PREFIX = re.compile(r"[A-Za-z]+[_-]")
_ID_REST = r"[A-Za-z0-9_-]+"
# An id without a prefix, as long as such ids are.
_BARE_ID = r"[A-Za-z0-9][A-Za-z0-9-]{15,}"

# Kind -> the fields whose texts are searched. The texts of messages are never changed.
MENTION_FIELDS: Mapping[str, tuple[str, ...]] = {
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

# Kind -> kinds whose ids can be replaced in it: they are created before it, so the new id is known.
REPLACEABLE_KINDS: Mapping[str, frozenset[str]] = {
    "vector_store": frozenset({"file"}),
    "vector_store_file": frozenset({"file", "vector_store"}),
    "assistant": frozenset({"file", "vector_store"}),
    "thread": frozenset({"file", "vector_store", "assistant"}),
}

# Characters of a name in a line of the plan.
MAX_REFERENCE_CHARS = 80

# What becomes of an id in a text: its object has a new one, or gets one when the plan is applied.
_NEW_ID, _NEW_ID_LATER = "it is {} on the target", "it gets another id on the target"
_NEW_ID_PATTERN = re.compile(r"; it is [^;]+? on the target")

# Field, reason, and what the user can do.
ReferenceNote = tuple[str, str, str]


@dataclass(frozen=True)
class IdMention:
    """An id in a text: the path of the text, and the kind and id of the object that it refers to."""

    place: TextPath
    kind: str
    id: str

    @property
    def field(self) -> str:
        return self.place[0]


class SourceIds:
    """Finds ids of a source in texts: one scan for each text, whatever the number of ids."""

    def __init__(self, source: Estate) -> None:
        self._source = source

    def mentions(self, entity: Entity) -> list[IdMention]:
        """Every id in the texts of an object, once for each text; declared references are not among them."""
        if not self._pattern or entity.kind not in MENTION_FIELDS:
            return []
        mentions: dict[IdMention, None] = {}
        for place, text in _searched_texts(entity):
            for kind, id_ in self.ids_in(text):
                mentions[IdMention(place, kind, id_)] = None
        return list(mentions)

    def ids_in(self, text: str) -> Iterator[tuple[str, str]]:
        """Kind and id of each object whose id is in a text."""
        if self._pattern and (self._has_bare_ids or any(prefix in text for prefix in self._prefixes)):
            for match in self._pattern.finditer(text):
                if known := self._known_id(match[0]):
                    yield known

    def in_message(self, message: Entity) -> Iterator[tuple[str, str]]:
        """Kind and id of each object that a message refers to. For most messages this costs one look for each
        prefix."""
        for part in message.fields.get("content") or ():
            text = part.get("text") if isinstance(part, Mapping) else None
            value = text.get("value") if isinstance(text, Mapping) else text
            if isinstance(value, str):
                yield from self.ids_in(value)
        for _, value in iter_texts(_without_stamp("metadata", message.fields.get("metadata"))):
            yield from self.ids_in(value)

    def replace_in(self, entity: Entity, lookup: IdLookup, capabilities: Capabilities) -> Entity:
        """The object with new ids in its texts, as far as `lookup` knows them when it is created."""
        kinds = REPLACEABLE_KINDS.get(entity.kind)
        if not self._pattern or not kinds or not self.mentions(entity):
            return entity
        pattern = self._pattern

        def new_id(match: re.Match[str]) -> str:
            known = self._known_id(match[0])
            if known is None or known[0] not in kinds:
                return match[0]
            return match[0].replace(known[1], lookup(*known) or known[1])

        paths = [reference.path for reference in KINDS[entity.kind].refs]
        declared = {id_ for path in paths for id_ in strings_at(entity.fields, path)}

        def change(place: TextPath, text: str) -> str:
            if text in declared:  # replaced as a reference already
                return text
            changed = pattern.sub(new_id, text)
            is_too_long = place[0] == "metadata" and len(changed) > capabilities.metadata_value_max
            return text if is_too_long else changed

        fields = {
            name: _without_stamp(name, entity.fields[name])
            for name in MENTION_FIELDS[entity.kind]
            if name in entity.fields
        }
        changed_fields = replace_texts(fields, change)
        if isinstance(changed_fields.get("metadata"), Mapping):  # the stamp has old ids on purpose
            metadata = {**entity.fields["metadata"], **changed_fields["metadata"]}
            changed_fields = {**changed_fields, "metadata": metadata}
        return entity.with_fields(**changed_fields)

    def _known_id(self, token: str) -> tuple[str, str] | None:
        for id_ in (token, token.rstrip("-_")):
            if (kind := self._kinds.get(id_)) is not None:
                return kind, id_
        return None

    @cached_property
    def _kinds(self) -> dict[str, str]:
        """Id -> kind. Names of agents, and keys of a config directory, are ordinary words and left out."""
        if self._source.codec.ids_are_keys:
            return {}
        kinds = ["file", "vector_store", *([] if self._source.names_are_ids else ["assistant"])]
        threads = {thread.id: "thread" for thread in self._source.iter_threads()}
        return threads | {id_: kind for kind in kinds for id_ in self._source.objects(kind)}

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        return tuple(sorted({match[0] for id_ in self._kinds if (match := ID_PREFIX.match(id_))}))

    @cached_property
    def _has_bare_ids(self) -> bool:
        return any(not ID_PREFIX.match(id_) for id_ in self._kinds)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        forms = [f"(?:{'|'.join(map(re.escape, self._prefixes))}){_ID_REST}"] if self._prefixes else []
        forms += [_BARE_ID] if self._has_bare_ids else []
        return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(forms)})") if forms else None


def _searched_texts(entity: Entity) -> Iterator[tuple[TextPath, str]]:
    """The texts of an object without its declared references."""
    fields = replace_strings_at(entity.fields, KINDS[entity.kind].references, lambda kind, id_: "")
    for name in MENTION_FIELDS[entity.kind]:
        yield from iter_texts(_without_stamp(name, fields.get(name)), (name,))


def _without_stamp(field: str, value: JSON) -> JSON:
    return remove_stamp_keys(value) if field == "metadata" and isinstance(value, Mapping) else value


def source_references(
    adapted: Entity, deployments: Container[str], source: EstateLocation | None
) -> Iterator[ReferenceNote]:
    """Names and addresses in an adapted object that lead back to the source.

    `deployments`: those of the target. `source`: None where source and target are the same place."""
    if source is None:
        return
    noted: set[tuple[str, str]] = set()
    fields = adapted.fields if adapted.kind == "assistant" else {}
    for path, label, name in iter_local_names(fields):
        if label == DEPLOYMENT_LABEL and name in deployments:
            continue
        field = path.partition("[")[0].partition(".")[0]
        if (field, name) not in noted:
            noted.add((field, name))
            reason = (
                f"{path} refers to {label} {_shortened(name)} of the source; the target may have none of it"
            )
            yield field, reason, "create it there under this name, or change the agent"
    for url, toolbox in toolbox_addresses(fields):
        if not source.name_in(url):  # else reported below
            name = _shortened(toolbox)
            reason = f"tools[].server_url refers to the toolbox {name} of a project; no toolbox is moved"
            yield "tools", reason, "check that the target may use it there, or create it in the target"
    for field in MENTION_FIELDS.get(adapted.kind, ()):
        for place, text in iter_texts(adapted.fields.get(field), (field,)):
            name = source.name_in(text)
            if name and (field, name) not in noted:
                noted.add((field, name))
                reason = f"{'.'.join(place)} contains the address of the source, {_shortened(name)}"
                yield field, reason, "it arrives unchanged and leads back to the source: change it by hand"


def mention_outcome(new_id: str | None) -> str:
    """The reason text for what becomes of an id in a text. `new_id`: None while it is not known."""
    return _NEW_ID.format(new_id) if new_id else _NEW_ID_LATER


def reason_before_creation(reason: str) -> str:
    """The reason before the object of an id in a text was created, when its new id was not known."""
    return _NEW_ID_PATTERN.sub(f"; {_NEW_ID_LATER}", reason)


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_REFERENCE_CHARS else f"{name[:MAX_REFERENCE_CHARS]}..."
