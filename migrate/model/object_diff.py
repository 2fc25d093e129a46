"""Compare two normalized objects: the paths at which they differ, with both values.

A hash separates equal objects from the others. DeepDiff walks those that differ, and `_JSONOperator` defines
what counts as equal and which lists have no order. A member of a list without order is identified by what it
is (`tools[function:get_weather]`), because its position means nothing.
"""

from __future__ import annotations

import gc
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from migrate.model import JSON
from migrate.model.normalize import json_digest, sorted_json

# Fields whose lists have no order: a changed member must not shift the others.
UNORDERED_FIELDS = frozenset({"tools", "tool_resources", "attachments"})

# Fields whose differences are listed entry by entry, also where only one side has entries.
ENTRYWISE_FIELDS = UNORDERED_FIELDS | {"metadata", "attributes", "definition"}

# Keys by which a member, or the options of a tool, is distinguished from others of its type.
MEMBER_NAME_KEYS = ("name", "server_label", "id", "file_id", "project_connection_id", "index_name")

PLAIN_MEMBER_NAME = re.compile(r"[\w./@ -]{1,80}")
PLAIN_KEY = re.compile(r"[^\W\d][\w-]*")

# Types of the operator's reports; DeepDiff uses other words for its own.
REPORT_TYPE = "differs_as_json"
# Characters of a text that differs above which what a comparison leaves behind is collected at once.
MAX_WAITING_CHARS = 50_000


class MemberStep(str):
    """A step to a member of a list without order: its name in brackets. A key may look like one."""


DiffStep = str | int
DiffSteps = tuple[DiffStep, ...]


@dataclass(frozen=True)
class FieldDifference:
    """Where two objects differ: a readable path, its steps, and the value on each side (None: absent)."""

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


def diff_objects(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> list[FieldDifference]:
    """The differences of two normalized objects, as deep as they go, in the order of their keys."""
    if _forms_equal(left, right):
        return []
    differences = _find_differences(left, right)
    if any(len(text) > MAX_WAITING_CHARS for path in differences for text in _texts(path)):
        # What DeepDiff leaves behind refers to itself and to the texts: they would wait for a collection.
        gc.collect(0)
    return differences


def _find_differences(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> list[FieldDifference]:
    from deepdiff import DeepDiff  # 0.1 s to load, and most comparisons end before this line

    tree: Any = DeepDiff(
        left, right, ignore_private_variables=False, view="tree", custom_operators=[_JSONOperator()]
    )
    levels = tree.pop(REPORT_TYPE, ())
    inside_lists = [_difference(level) for group in tree.values() for level in group]
    inside_lists = [path for path in inside_lists if not json_equal(path.left, path.right)]
    inside_lists.sort(key=lambda path: path.path)
    differences: list[FieldDifference] = []
    for level in levels:
        whole = _difference(level)
        depth = len(whole.steps)
        is_list = isinstance(whole.left, list) and isinstance(whole.right, list)
        members = [path for path in inside_lists if path.steps[:depth] == whole.steps] if is_list else []
        differences += members or [whole]
    return differences


def _texts(path: FieldDifference) -> list[str]:
    return [value for value in (path.left, path.right) if isinstance(value, str)]


def json_equal(left: JSON, right: JSON) -> bool:
    """Whether two values are the same JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(json_equal(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(json_equal, left, right))
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _forms_equal(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> bool:
    """A quick test for equality. Objects in which only 1 and 1.0 differ fail it, and have no differences."""
    try:
        if to_json(left) == to_json(right):
            return True
    except ValueError:
        pass  # half of a character pair, or nested too deeply for `to_json`
    return json_digest(left) == json_digest(right)


class _Absent:
    """A value that a side does not have. One object for each place: DeepDiff takes an object that it meets
    inside itself for a cycle, and skips it."""


class _JSONOperator:
    """Tells DeepDiff how JSON is compared. It reports each value that differs as a whole, and each ordered
    list that differs; DeepDiff then compares the members of such a list by itself."""

    def match(self, level: Any) -> bool:
        """Every value is compared here first."""
        return True

    def give_up_diffing(self, level: Any, diff_instance: Any) -> bool:
        """Whether nothing below this level is left to compare. Prepares both sides where something is."""
        left, right = _value(level.t1), _value(level.t2)
        if json_equal(left, right):
            return True
        steps = level.path(output_format="list")
        if any(isinstance(step, int) for step in steps):
            return False  # inside an ordered list
        # A member of a list is reported as a whole where only one side has it.
        entrywise = bool(steps) and steps[0] in ENTRYWISE_FIELDS and not isinstance(steps[-1], MemberStep)
        one_sided = entrywise and (left is None or right is None)
        sides = (left, right)
        if all(isinstance(side, list) for side in sides) and steps[0] not in UNORDERED_FIELDS:
            diff_instance.custom_report_result(REPORT_TYPE, level)
            return False
        if _are(list, sides, one_sided):
            level.t1, level.t2 = _members_by_name(left or [], right or [])
            return False
        if _are(Mapping, sides, one_sided) and not (steps and _types_differ(left, right)):
            level.t1, level.t2 = _entries_by_key(left or {}, right or {})
            return False
        level.t1, level.t2 = left, right
        diff_instance.custom_report_result(REPORT_TYPE, level)
        return True


def _are(type_: Any, sides: tuple[JSON, JSON], one_sided: bool) -> bool:
    """Whether both sides have a type; with `one_sided`, one of them is enough."""
    return (any if one_sided else all)(isinstance(side, type_) for side in sides)


def _types_differ(left: JSON, right: JSON) -> bool:
    """Whether two objects name different types; then they are reported as a whole."""
    return bool(left and right) and left.get("type") != right.get("type")


def _difference(level: Any) -> FieldDifference:
    steps = tuple(level.path(output_format="list"))
    return FieldDifference.from_steps(steps, _value(level.t1), _value(level.t2))


def _value(value: Any) -> JSON:
    return None if isinstance(value, _Absent) or type(value).__name__ == "NotPresent" else value


def _entries_by_key(left: Mapping[str, JSON], right: Mapping[str, JSON]) -> tuple[dict[str, Any], ...]:
    """The entries that differ, in the order of their keys."""
    keys = sorted({*left, *right})
    differing = [key for key in keys if not json_equal(left.get(key), right.get(key))]
    return tuple({key: side.get(key, _Absent()) for key in differing} for side in (left, right))


def _members_by_name(left: list[JSON], right: list[JSON]) -> tuple[dict[MemberStep, Any], ...]:
    """The members that differ, by name: equal ones are left out, the others paired by name, then by type in
    order. DeepDiff's `iterable_compare_func` is not used for this: it drops a member that the right side has
    one more time than the left (seen with 9.1)."""
    left, right = _remove_equal(left, right)
    left_names, right_names = _member_names(left), _member_names(right)
    places = {name: n for n, name in enumerate(right_names)}
    pairs = {n: places[name] for n, name in enumerate(left_names) if name in places}
    _pair_by_type(left, right, pairs)
    paired = set(pairs.values())
    rows = [(left_names[n], member, right[pairs[n]] if n in pairs else None) for n, member in enumerate(left)]
    rows += [(right_names[n], None, member) for n, member in enumerate(right) if n not in paired]
    steps = [MemberStep(f"[{name}]") for name, _, _ in rows]
    return tuple(
        {step: _Absent() if row[side] is None else row[side] for step, row in zip(steps, rows, strict=True)}
        for side in (1, 2)
    )


def _remove_equal(left: list[JSON], right: list[JSON]) -> tuple[list[JSON], list[JSON]]:
    """Both lists without the members that are in both, each removed as often as both have it."""
    by_text: dict[str, list[JSON]] = defaultdict(list)
    for member in right:
        by_text[sorted_json(member)].append(member)
    unmatched = []
    for member in left:
        same_text = by_text[sorted_json(member)]
        if same_text:
            same_text.pop()
        else:
            unmatched.append(member)
    right = [member for rest in by_text.values() for member in rest]
    left = []
    for member in unmatched:  # 1 and 1.0 have two texts and are one number
        candidates = () if isinstance(member, str) else enumerate(right)
        equal = next((n for n, candidate in candidates if json_equal(member, candidate)), None)
        if equal is None:
            left.append(member)
        else:
            del right[equal]
    return left, right


def _pair_by_type(left: list[JSON], right: list[JSON], pairs: dict[int, int]) -> None:
    """Pair the members that have no pair yet, in order, where their types are the same."""
    paired = set(pairs.values())
    unpaired: dict[str, list[int]] = defaultdict(list)
    for n, member in enumerate(right):
        if n not in paired and isinstance(member, Mapping):
            unpaired[_type(member)].append(n)
    for n, member in enumerate(left):
        if n not in pairs and isinstance(member, Mapping) and unpaired[_type(member)]:
            pairs[n] = unpaired[_type(member)].pop(0)


def _member_names(members: list[JSON]) -> list[str]:
    """The name of each member; members of the same name get a number."""
    counts: Counter[str] = Counter()
    names = []
    for member in members:
        name = _member_name(member)
        counts[name] += 1
        names.append(name if counts[name] == 1 else f"{name}#{counts[name]}")
    return names


def _member_name(member: JSON) -> str:
    if not isinstance(member, Mapping):
        return _plain(member)
    type_ = _type(member)
    options = member.get(type_)
    for place in (member, options, *(options.values() if isinstance(options, Mapping) else ())):
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
    text = value if plain else sorted_json(value).replace("]", "\\u005d")
    return text if len(text) <= 82 else f"{text[:80]}…"
