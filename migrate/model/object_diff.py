"""Compare two normalized objects: the paths at which they differ, with both values.

A hash tells equal objects apart from others first; only those are looked into. A member of a list without
order is named by what it is (`tools[function:get_weather]`), not by a place that means nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from migrate.model import JSON
from migrate.model.normalize import json_digest

# Keys by which a member, or the options of a tool, is distinguished from others of its type.
MEMBER_NAME_KEYS = ("name", "server_label", "id", "file_id", "project_connection_id", "index_name")

PLAIN_MEMBER_NAME = re.compile(r"[\w./@ -]{1,80}")

# What the member is called, and its value on each side; None where it is not there.
MemberMatch = tuple[str, JSON, JSON]


def match_members(
    left: list[JSON], right: list[JSON], same: Callable[[JSON, JSON], bool]
) -> Iterator[MemberMatch]:
    """Members that differ: equal ones are left out, the others matched by name, then by type in order."""
    ours, theirs = _remove_equal(left, right, same)
    called = _labels(ours), _labels(theirs)
    named = {label: n for n, label in enumerate(called[1])}
    pairs = {n: named[label] for n, label in enumerate(called[0]) if label in named}
    _pair_by_type(ours, theirs, pairs)
    taken = set(pairs.values())
    for n, one in enumerate(ours):
        yield called[0][n], one, theirs[pairs[n]] if n in pairs else None
    for n, other in enumerate(theirs):
        if n not in taken:
            yield called[1][n], None, other


def _remove_equal(
    left: list[JSON], right: list[JSON], same: Callable[[JSON, JSON], bool]
) -> tuple[list[JSON], list[JSON]]:
    """Both lists without what stands in both, each as often as it does."""
    there: dict[str, list[JSON]] = defaultdict(list)
    for other in right:
        there[_text(other)].append(other)
    ours = []
    for one in left:
        same_text = there[_text(one)]
        if same_text:
            same_text.pop()
        else:
            ours.append(one)
    theirs = [other for rest in there.values() for other in rest]
    rest = []
    for one in ours:  # 1 and 1.0 have two texts and are one number
        worth = not isinstance(one, str)
        equal = next((n for n, other in enumerate(theirs) if worth and same(one, other)), None)
        if equal is None:
            rest.append(one)
        else:
            del theirs[equal]
    return rest, theirs


def _pair_by_type(ours: list[JSON], theirs: list[JSON], pairs: dict[int, int]) -> None:
    """Pair what is left over, one after the other, where the type is the same."""
    taken = set(pairs.values())
    free: dict[str, list[int]] = defaultdict(list)
    for n, other in enumerate(theirs):
        if n not in taken and isinstance(other, Mapping):
            free[_type(other)].append(n)
    for n, one in enumerate(ours):
        if n not in pairs and isinstance(one, Mapping) and free[_type(one)]:
            pairs[n] = free[_type(one)].pop(0)


def _labels(members: list[JSON]) -> list[str]:
    """The label of each member; members with the same label get a number."""
    seen: Counter[str] = Counter()
    out = []
    for member in members:
        label = _label(member)
        seen[label] += 1
        out.append(label if seen[label] == 1 else f"{label}#{seen[label]}")
    return out


def _label(member: JSON) -> str:
    if not isinstance(member, Mapping):
        return _plain(member)
    type_ = _type(member)
    inner = member.get(type_)
    for place in (member, inner, *(inner.values() if isinstance(inner, Mapping) else ())):
        if isinstance(place, Mapping):
            for key in MEMBER_NAME_KEYS:
                if isinstance(place.get(key), str) and place[key]:
                    return f"{type_}:{_plain(place[key])}" if type_ else _plain(place[key])
    return type_ or "?"


def _type(member: Mapping[str, JSON]) -> str:
    return _plain(member["type"]) if isinstance(member.get("type"), str) else ""


def _plain(value: JSON) -> str:
    """A short word as it is, anything else as JSON in which no bracket ends the name."""
    plain = isinstance(value, str) and PLAIN_MEMBER_NAME.fullmatch(value)
    text = value if plain else _text(value).replace("]", "\\u005d")
    return text if len(text) <= 82 else f"{text[:80]}…"


def _text(value: JSON) -> str:
    return json.dumps(value, sort_keys=True)


# Fields whose lists are bags: a changed member must not shift the others.
UNORDERED_FIELDS = frozenset({"tools", "tool_resources", "attachments"})

# Fields whose differences are listed entry by entry, also where one side has none.
ENTRYWISE_FIELDS = UNORDERED_FIELDS | {"metadata", "attributes", "definition"}

PLAIN_KEY = re.compile(r"[^\W\d][\w-]*")


class MemberStep(str):
    """A step to a member of a list without order: its name in brackets. A key may look like one."""


DiffStep = str | int
DiffSteps = tuple[DiffStep, ...]


@dataclass(frozen=True)
class FieldDifference:
    """Where two objects differ: a path to read, its steps, and the value on each side (None: not there)."""

    path: str
    left: JSON
    right: JSON
    steps: DiffSteps = ()

    @property
    def field(self) -> str:
        """The field of the object that the path begins with."""
        return str(self.steps[0]) if self.steps else self.path

    @classmethod
    def from_steps(cls, steps: DiffSteps, left: JSON, right: JSON) -> FieldDifference:
        """A difference at these steps."""
        return cls(format_steps(steps), left, right, steps)


def format_steps(steps: DiffSteps) -> str:
    """Steps as people write them: `a.b[0]`, `a["odd key"]`, `tools[file_search]`."""
    out = ""
    for step in steps:
        if isinstance(step, int):
            out += f"[{step}]"
        elif isinstance(step, MemberStep):
            out += step
        elif PLAIN_KEY.fullmatch(step):
            out += f".{step}" if out else step
        else:
            out += f"[{json.dumps(step)}]"
    return out


def _forms_equal(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> bool:
    """Whether two forms are equal as JSON is: 1, 1.0 and true are three values, the order of keys is none."""
    try:
        if to_json(left) == to_json(right):
            return True
    except ValueError:
        pass  # half of a character pair; or it is nested deeper than that can tell
    return json_digest(left) == json_digest(right)


def diff_objects(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> list[FieldDifference]:
    """The differences of two compared forms, by field and then as deep as they go."""
    if _forms_equal(left, right):
        return []
    found: list[FieldDifference] = []
    for name in sorted(left.keys() | right.keys()):
        found += _diff_at((name,), left.get(name), right.get(name))
    return found


def json_equal(one: JSON, other: JSON) -> bool:
    """Whether two values are the same JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(json_equal(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _diff_at(steps: DiffSteps, one: JSON, other: JSON) -> Iterator[FieldDifference]:
    """The differences below a path."""
    if json_equal(one, other):
        return
    spread = steps[0] in ENTRYWISE_FIELDS and not isinstance(
        steps[-1], MemberStep
    )  # a member is reported as a whole
    if isinstance(one, list) and isinstance(other, list):
        yield from (_diff_unordered if steps[0] in UNORDERED_FIELDS else _diff_ordered)(steps, one, other)
    elif _both_are(Mapping, one, other, spread) and not _types_differ(one, other):
        one, other = one or {}, other or {}
        for name in sorted(one.keys() | other.keys(), key=str):
            yield from _diff_at((*steps, str(name)), one.get(name), other.get(name))
    elif spread and _both_are(list, one, other, spread):
        yield from _diff_unordered(steps, one or [], other or [])
    else:
        yield FieldDifference.from_steps(steps, one, other)


def _types_differ(one: JSON, other: JSON) -> bool:
    """Whether two objects name different types; then each is reported as a whole."""
    return bool(one and other) and one.get("type") != other.get("type")


def _both_are(shape: Any, one: JSON, other: JSON, half: bool) -> bool:
    """Whether both have a shape; one may be absent where `half` allows it."""
    shaped = isinstance(one, shape), isinstance(other, shape)
    return all(shaped) or (half and any(shaped) and (one is None or other is None))


def _diff_unordered(steps: DiffSteps, one: list[JSON], other: list[JSON]) -> Iterator[FieldDifference]:
    for label, ours, theirs in match_members(one, other, json_equal):
        yield from _diff_at((*steps, MemberStep(f"[{label}]")), ours, theirs)


def _diff_ordered(steps: DiffSteps, one: list[JSON], other: list[JSON]) -> Iterator[FieldDifference]:
    """What moved, came and went inside a list whose order means something."""
    from deepdiff import DeepDiff  # 0.1 s to load, and most comparisons end before this line

    tree: Any = DeepDiff(one, other, ignore_order=False, ignore_private_variables=False, view="tree")
    found = [
        FieldDifference.from_steps(
            (*steps, *item.path(output_format="list")), _value(item.t1), _value(item.t2)
        )
        for group in tree.values()
        for item in group
        if not json_equal(_value(item.t1), _value(item.t2))
    ]
    yield from sorted(found, key=lambda path: path.path) or [FieldDifference.from_steps(steps, one, other)]


def _value(value: Any) -> JSON:
    return None if type(value).__name__ == "NotPresent" else value
