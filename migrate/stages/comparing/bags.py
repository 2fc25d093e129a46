"""Two lists without order in, which member of one is which of the other out, each under a name."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from migrate.model import JSON

NAMES = ("name", "server_label", "id", "file_id", "project_connection_id", "index_name")
"""Keys by which a member, or the options of a tool, is told from others of its type."""

PLAIN = re.compile(r"[\w./@ -]{1,80}")

Match = tuple[str, JSON, JSON]
"""What the member is called, and its value on each side; None where it is not there."""


def matched(left: list[JSON], right: list[JSON], same: Callable[[JSON, JSON], bool]) -> Iterator[Match]:
    """Members that differ: equal ones are left out, the others matched by name, then by type in order."""
    ours, theirs = _without_equal(left, right, same)
    called = _labels(ours), _labels(theirs)
    named = {label: n for n, label in enumerate(called[1])}
    pairs = {n: named[label] for n, label in enumerate(called[0]) if label in named}
    _by_type(ours, theirs, pairs)
    taken = set(pairs.values())
    for n, one in enumerate(ours):
        yield called[0][n], one, theirs[pairs[n]] if n in pairs else None
    for n, other in enumerate(theirs):
        if n not in taken:
            yield called[1][n], None, other


def _without_equal(
    left: list[JSON], right: list[JSON], same: Callable[[JSON, JSON], bool]
) -> tuple[list[JSON], list[JSON]]:
    """Both lists without what stands in both, each as often as it does."""
    there: dict[str, list[JSON]] = defaultdict(list)
    for other in right:
        there[_text(other)].append(other)
    ours = []
    for one in left:
        alike = there[_text(one)]
        if alike:
            alike.pop()
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


def _by_type(ours: list[JSON], theirs: list[JSON], pairs: dict[int, int]) -> None:
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
    """What each is called, told apart by a number where two are called the same."""
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
            for key in NAMES:
                if isinstance(place.get(key), str) and place[key]:
                    return f"{type_}:{_plain(place[key])}" if type_ else _plain(place[key])
    return type_ or "?"


def _type(member: Mapping[str, JSON]) -> str:
    return _plain(member["type"]) if isinstance(member.get("type"), str) else ""


def _plain(value: JSON) -> str:
    """A short word as it is, anything else as JSON in which no bracket ends the name."""
    plain = isinstance(value, str) and PLAIN.fullmatch(value)
    text = value if plain else _text(value).replace("]", "\\u005d")
    return text if len(text) <= 82 else f"{text[:80]}…"


def _text(value: JSON) -> str:
    return json.dumps(value, sort_keys=True)
