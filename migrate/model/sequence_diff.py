"""Compare two lists: stretches that are equal or differ, in time linear in their length.

What both begin and end with is taken off first. Then members that stand exactly once on both sides are
anchors (the longest run of them in the same order holds), and what lies between anchors is looked at in the
same way. Where there are none, a shortest edit is searched, within a budget for the whole comparison.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DiffStretch = tuple[bool, Sequence[str], Sequence[str]]
# A stretch in common: where it begins on the left, on the right, and how long it is.
CommonBlock = tuple[int, int, int]

# Comparisons that the search for shortest edits may take in all: about 0.2 s.
MAX_SEARCH_STEPS = 400_000
# Edits after which one search gives up: its memory grows with their square.
MAX_SEARCH_EDITS = 300
# How often a stretch between anchors is looked through for anchors again.
MAX_ANCHOR_DEPTH = 12


@dataclass
class SearchBudget:
    """What is left of the budget of one comparison."""

    steps: int = MAX_SEARCH_STEPS


def diff_sequences(
    left: Sequence[str], right: Sequence[str], budget: SearchBudget | None = None
) -> Iterator[DiffStretch]:
    """Stretches in order: (in common, of the left, of the right)."""
    one = other = 0
    for start, begin, size in _merge_adjacent(_common_blocks(left, right, budget or SearchBudget())):
        if start > one or begin > other:
            yield False, left[one:start], right[other:begin]
        yield True, left[start : start + size], right[begin : begin + size]
        one, other = start + size, begin + size
    if one < len(left) or other < len(right):
        yield False, left[one:], right[other:]


def _merge_adjacent(blocks: list[CommonBlock]) -> Iterator[CommonBlock]:
    last: CommonBlock | None = None
    for one, other, size in sorted(blocks):
        if last and (last[0] + last[2], last[1] + last[2]) == (one, other):
            last = (last[0], last[1], last[2] + size)
        else:
            if last:
                yield last
            last = (one, other, size)
    if last:
        yield last


def _common_blocks(left: Sequence[str], right: Sequence[str], budget: SearchBudget) -> list[CommonBlock]:
    found: list[CommonBlock] = []
    waiting = [(0, len(left), 0, len(right), 0)]
    while waiting:
        a, b, c, d, depth = waiting.pop()
        start = a
        while a < b and c < d and left[a] == right[c]:
            a, c = a + 1, c + 1
        if a > start:
            found.append((start, c - (a - start), a - start))
        end = b
        while a < b and c < d and left[b - 1] == right[d - 1]:
            b, d = b - 1, d - 1
        if b < end:
            found.append((b, d, end - b))
        if a == b or c == d:
            continue
        anchors = _anchors(left, right, (a, b, c, d)) if depth < MAX_ANCHOR_DEPTH else []
        if not anchors:
            found += _shortest_edit(left[a:b], right[c:d], a, c, budget)
            continue
        for one, other in [*anchors, (b, d)]:
            waiting.append((a, one, c, other, depth + 1))
            found += [(one, other, 1)] if one < b else []
            a, c = one + 1, other + 1
    return found


def _anchors(
    left: Sequence[str], right: Sequence[str], part: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Members that are single on both sides, the longest run of them that is in order on both."""
    a, b, c, d = part
    ours, theirs = Counter(left[a:b]), Counter(right[c:d])
    places = {right[n]: n for n in range(c, d)}
    pairs = [
        (n, places[left[n]])
        for n in range(a, b)
        if ours[left[n]] == 1 == theirs.get(left[n], 0) and not left[n].isspace()
    ]
    ends: list[int] = []  # the smallest right end of a run of each length
    which: list[int] = []
    before: list[int] = []
    for n, (_, place) in enumerate(pairs):
        at = bisect_left(ends, place)
        before.append(which[at - 1] if at else -1)
        if at == len(ends):
            ends.append(place)
            which.append(n)
        else:
            ends[at], which[at] = place, n
    run: list[tuple[int, int]] = []
    n = which[-1] if which else -1
    while n >= 0:
        run.append(pairs[n])
        n = before[n]
    return run[::-1]


def _shortest_edit(
    left: Sequence[str], right: Sequence[str], a: int, c: int, budget: SearchBudget
) -> list[CommonBlock]:
    """A shortest edit between two stretches, forward and greedy; nothing in common when it costs too much."""
    n, m = len(left), len(right)
    reach = {1: 0}  # diagonal -> how far the left is read on it
    steps: list[dict[int, int]] = []
    for edits in range(min(n + m, MAX_SEARCH_EDITS) + 1):
        steps.append(dict(reach))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            x_start = x
            while x < n and x - k < m and left[x] == right[x - k]:
                x += 1
            reach[k] = x
            budget.steps -= 1 + x - x_start
            if x >= n and x - k >= m:
                return _trace_back(steps, n, m, a, c)
        if budget.steps < 0:
            break
    return []


def _trace_back(steps: list[dict[int, int]], n: int, m: int, a: int, c: int) -> list[CommonBlock]:
    found: list[CommonBlock] = []
    x, y = n, m
    for edits in range(len(steps) - 1, -1, -1):
        reach, k = steps[edits], x - y
        down = k == -edits or (k != edits and reach.get(k - 1, -1) < reach.get(k + 1, -1))
        last = k + 1 if down else k - 1
        was = reach[last] if edits else 0
        x_start = (was if down else was + 1) if edits else 0
        if x > x_start:
            found.append((a + x_start, c + x_start - k, x - x_start))
        x, y = was, was - last
    return found
