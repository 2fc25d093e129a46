"""What a target's codec does with an example: the grade, the field and the reasons."""

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
    """`place`: where it lies on the target, '' where that is as on the source."""

    grade: str
    place: str
    reasons: tuple[str, ...]


def outcomes(example: Example) -> dict[str, Outcome]:
    """What becomes of an example on every service."""
    return {name: _outcome(example, capabilities) for name, capabilities in SERVICES.items()}


def _outcome(example: Example, capabilities: Capabilities) -> Outcome:
    codec = CODECS[capabilities.service]
    target = around(capabilities, example.source, example.entity)
    if unsaid := codec.why_not_replayed(example.entity, target):
        return Outcome("lost", "", (unsaid,))
    if target.in_place(example.kind, example.entity.id):
        return Outcome("in place", "", ())
    fitted, losses = codec.adapt(example.entity, target)
    plain, _ = codec.adapt(example.plain, around(capabilities, example.source, example.plain))
    _, before = codec.adapt(example.silent, around(capabilities, example.source, example.silent))
    known_reasons = {loss.reason for loss in before}
    new = [loss for loss in losses if loss.reason not in known_reasons]
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
        ours = [path for path in changed(before, after) if path.startswith("metadata.")]
        return ", ".join([f"agent `{address}`", *(f"`{path}`" for path in ours)])
    if example.field == "role":
        return ""
    if example.field in ("content", "tools"):
        here, there = _types(example.entity.fields, example.field), _types(after, example.field)
        return ", ".join(f"`{type_}`" for type_ in dict.fromkeys(there) if there != here)
    found = (path.removesuffix("[]") for path in changed(before, after))
    paths = [path for path in found if not path.startswith(example.field)]
    return ", ".join(f"`{path}`" for path in dict.fromkeys(paths))


def _types(body: Mapping[str, JSON], field: str) -> list[str]:
    """The types of a message's parts, or of an assistant's tools, wherever a wire keeps them."""
    inside = body.get("definition") if field == "tools" and "definition" in body else body
    rows = inside.get(field) if isinstance(inside, Mapping) else None
    if isinstance(rows, str):
        return ["text"]
    return [str(row.get("type")) for row in rows or [] if isinstance(row, Mapping)]


def changed(before: JSON, after: JSON, path: str = "") -> Iterator[str]:
    """Paths at which the second document has more than the first, or something else."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in after.items():
            inner = f"{path}.{key}" if path else key
            if key not in before:
                yield _deepest(value, inner)
            elif before[key] != value:
                yield from changed(before[key], value, inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            if one != other:
                yield from changed(one, other, f"{path}[]")
    else:
        yield path


def _deepest(value: JSON, path: str) -> str:
    """The path of what is in wrappings of one key each. What a metadata key is called is its owner's."""
    while isinstance(value, Mapping) and len(value) == 1:
        ((key, value),) = value.items()
        if key == "type" or (path.endswith("metadata") and not DEFAULT_STAMP_KEYS.contains(key)):
            break
        path = f"{path}.{key}"
    return path


def names_of(entity: Entity) -> list[str]:
    """The types of an entity's tools, or of the parts of its content."""
    return _types(entity.fields, "tools" if entity.kind == "assistant" else "content")
