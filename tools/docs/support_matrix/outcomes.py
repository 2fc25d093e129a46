"""What a codec does with an example: the grade, the place on the target, and the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrate.codecs import CODECS, Capabilities, capabilities_for
from migrate.codecs.capabilities import CAPABILITIES
from migrate.model import JSON, Entity
from migrate.model.stamp import DEFAULT_STAMP_KEYS
from tools.docs.examples import Example, around

NEWEST_AZURE = "2025-04-01-preview"
SERVICES: Mapping[str, Capabilities] = {
    name: capabilities_for(name, NEWEST_AZURE if name == "azure-openai" else "") for name in CAPABILITIES
}
GRADES = ("blocked", "lost", "adapted")


@dataclass(frozen=True)
class Outcome:
    """What happens to one example. `place`: the path on the target, '' where it is that of the source."""

    grade: str
    place: str
    reasons: tuple[str, ...]


def outcomes(example: Example) -> dict[str, Outcome]:
    """The outcome of an example for each service."""
    return {name: _outcome(example, capabilities) for name, capabilities in SERVICES.items()}


def _outcome(example: Example, capabilities: Capabilities) -> Outcome:
    codec = CODECS[capabilities.service]
    target = around(capabilities, example.source, example.entity)
    if reason := codec.why_not_replayed(example.entity, target):
        return Outcome("lost", "", (reason,))
    if target.in_place(example.kind, example.entity.id):
        return Outcome("in place", "", ())
    fitted, losses = codec.adapt(example.entity, target)
    plain, _ = codec.adapt(example.plain, around(capabilities, example.source, example.plain))
    _, before = codec.adapt(example.silent, around(capabilities, example.source, example.silent))
    reasons_before = {loss.reason for loss in before}
    new = [loss for loss in losses if loss.reason not in reasons_before]
    grade = next((grade for grade in GRADES if any(loss.grade == grade for loss in new)), "copied")
    ranked = sorted(new, key=lambda loss: GRADES.index(loss.grade))
    reasons = tuple(dict.fromkeys(loss.reason for loss in ranked))
    if grade in ("blocked", "lost") or example.kind == "file":
        return Outcome(grade, "", reasons)
    wires = codec.create_request(plain), codec.create_request(fitted)
    if grade == "copied" and wires[0] == wires[1] and fitted != plain:
        grade = "default"
    place = _place(example, wires[0], wires[1], target.names.get(example.entity.id, ""))
    return Outcome(grade, place, reasons)


def _place(example: Example, before: JSON, after: JSON, address: str) -> str:
    if example.kind == "assistant" and example.field == "name" and address:
        metadata = [path for path in changed(before, after) if path.startswith("metadata.")]
        return ", ".join([f"agent `{address}`", *(f"`{path}`" for path in metadata)])
    if example.field == "role":
        return ""
    if example.field in ("content", "tools"):
        source, target = _types(example.entity.fields, example.field), _types(after, example.field)
        return ", ".join(f"`{type_}`" for type_ in dict.fromkeys(target) if target != source)
    changes = (path.removesuffix("[]") for path in changed(before, after))
    paths = [path for path in changes if not path.startswith(example.field)]
    return ", ".join(f"`{path}`" for path in dict.fromkeys(paths))


def _types(body: Mapping[str, JSON], field: str) -> list[str]:
    """The types of a message's parts, or of an assistant's tools, in the body of any service."""
    owner = body.get("definition") if field == "tools" and "definition" in body else body
    rows = owner.get(field) if isinstance(owner, Mapping) else None
    if isinstance(rows, str):
        return ["text"]
    return [str(row.get("type")) for row in rows or [] if isinstance(row, Mapping)]


def changed(before: JSON, after: JSON, path: str = "") -> Iterator[str]:
    """Paths of the second document with a value that is new or different."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in after.items():
            inner = f"{path}.{key}" if path else key
            if key not in before:
                yield _deepest(value, inner)
            elif before[key] != value:
                yield from changed(before[key], value, inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for old, new in zip(before, after, strict=True):
            if old != new:
                yield from changed(old, new, f"{path}[]")
    else:
        yield path


def _deepest(value: JSON, path: str) -> str:
    """The path of the value inside nested objects of one key each. Keys of metadata are left out."""
    while isinstance(value, Mapping) and len(value) == 1:
        ((key, value),) = value.items()
        if key == "type" or (path.endswith("metadata") and not DEFAULT_STAMP_KEYS.contains(key)):
            break
        path = f"{path}.{key}"
    return path


def names_of(entity: Entity) -> list[str]:
    """The types of an entity's tools, or of the parts of its content."""
    return _types(entity.fields, "tools" if entity.kind == "assistant" else "content")
