"""DeepDiff finds the same differences as a plain recursive comparison, in the same order.

The comparison below supports only lists without order, in which each member has a different name.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from migrate.model.object_diff import ENTRYWISE_FIELDS, diff_objects, json_equal

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2), st.sampled_from([0.0, 1.0, 2.5, "", "a", "a\nb"])
)
KEYS = st.sampled_from(["name", "type", "a", "b", "__private", "odd key"])
FUNCTIONS = st.builds(
    lambda name, text: {"type": "function", "function": {"name": name, "description": text}},
    st.sampled_from("fgh"),
    SCALARS,
)
SERVERS = st.builds(
    lambda label, n: {"type": "mcp", "server_label": label, "n": n}, st.sampled_from("st"), SCALARS
)
TOOLS = st.lists(FUNCTIONS | SERVERS, max_size=4, unique_by=lambda tool: member_name(tool))
TREES = st.recursive(SCALARS, lambda below: st.dictionaries(KEYS, below, max_size=4), max_leaves=10)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "name": SCALARS,
        "response_format": TREES,
        "metadata": st.none() | st.dictionaries(KEYS, SCALARS, max_size=4),
        "definition": TREES,
        "tools": st.none() | TOOLS,
        "tool_resources": st.dictionaries(st.sampled_from(["mcp", "x"]), TOOLS | TREES, max_size=2),
    },
)


def member_name(tool: dict[str, Any]) -> str:
    return f"{tool['type']}:{tool.get('server_label') or tool['function']['name']}"


def plain_differences(path: str, left: Any, right: Any, entrywise: bool) -> Iterator[tuple[str, Any, Any]]:
    """Every difference. With `entrywise`, an object that only one side has is listed by its entries."""
    sides = (left, right)
    one_sided = entrywise and None in sides
    if json_equal(left, right):
        return
    if (any if one_sided else all)(isinstance(side, list) for side in sides):
        yield from walk_members(path, left or [], right or [])
    elif (any if one_sided else all)(isinstance(side, dict) for side in sides) and not (
        left and right and left.get("type") != right.get("type")
    ):
        for key in sorted({*(left or {}), *(right or {})}):
            step = '["odd key"]' if key == "odd key" else f".{key}"
            yield from plain_differences(
                f"{path}{step}", (left or {}).get(key), (right or {}).get(key), entrywise
            )
    else:
        yield path, left, right


def walk_members(path: str, left: list[Any], right: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    lefts = {member_name(m): m for m in left if not any(json_equal(m, r) for r in right)}
    rights = {member_name(m): m for m in right if not any(json_equal(m, r) for r in left)}
    unpaired = {name: m for name, m in rights.items() if name not in lefts}
    for name, member in lefts.items():
        partner = name if name in rights else None
        if partner is None:
            partner = next((n for n, m in unpaired.items() if m["type"] == member["type"]), None)
            unpaired.pop(partner or "", None)
        if partner is None:
            yield f"{path}[{name}]", member, None
        else:
            for key in sorted({*member, *rights[partner]}):
                yield from plain_differences(
                    f"{path}[{name}].{key}", member.get(key), rights[partner].get(key), True
                )
    for name, member in unpaired.items():
        yield f"{path}[{name}]", None, member


@given(OBJECTS, OBJECTS)
def test_the_differences_are_those_of_a_plain_comparison(left: dict[str, Any], right: dict[str, Any]) -> None:
    expected = [
        row
        for name in sorted({*left, *right})
        for row in plain_differences(name, left.get(name), right.get(name), name in ENTRYWISE_FIELDS)
    ]
    found = [(path.path, path.left, path.right) for path in diff_objects(left, right)]
    assert list(map(repr, found)) == list(map(repr, expected))


@given(st.lists(TREES, max_size=5), st.lists(TREES, max_size=5))
def test_a_list_with_an_order_differs_at_its_own_members(left: list[Any], right: list[Any]) -> None:
    found = diff_objects({"content": left}, {"content": right})
    assert bool(found) is not json_equal(left, right)
    assert [path.path for path in found] == sorted(path.path for path in found)
    for path in found:
        assert path.steps[0] == "content"
        assert not json_equal(path.left, path.right)


def test_nothing_of_long_texts_waits_for_a_collection() -> None:
    """What DeepDiff leaves behind refers to itself; of a thousand long messages it would be gigabytes."""
    gc.collect()
    threshold = gc.get_threshold()
    gc.set_threshold(1_000_000)
    tracemalloc.start()
    try:
        for number in range(20):
            texts = [{"content": [{"text": f"{number} {side} " * 50_000}]} for side in ("left", "right")]
            assert len(diff_objects(texts[0], texts[1])) == 1
            if number == 0:
                first = tracemalloc.get_traced_memory()[0]
        assert tracemalloc.get_traced_memory()[0] < first + 3_000_000
    finally:
        tracemalloc.stop()
        gc.set_threshold(*threshold)
