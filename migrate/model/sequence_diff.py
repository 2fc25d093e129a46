"""Compare two lists: stretches that are equal or differ, in time linear in their length.

The common beginning and end are removed first. Then members that occur exactly once on both sides are anchors
(the longest run of them in the same order), and the stretches between anchors are compared in the same way.
Where there are no anchors, a shortest edit is searched, within a budget for the whole comparison.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DiffStretch = tuple[bool, Sequence[str], Sequence[str]]
# A common stretch: its start on the left, its start on the right, its length.
CommonBlock = tuple[int, int, int]

# Comparisons of members in all searches for a shortest edit: about 0.2 s.
MAX_SEARCH_STEPS = 400_000
# Edits after which one search stops: its memory grows with their square.
MAX_SEARCH_EDITS = 300
# Levels of stretches between anchors that are searched for anchors again.
MAX_ANCHOR_DEPTH = 12


@dataclass
class SearchBudget:
    """The rest of the budget of one comparison."""

    steps: int = MAX_SEARCH_STEPS


def diff_sequences(
    left: Sequence[str], right: Sequence[str], budget: SearchBudget | None = None
) -> Iterator[DiffStretch]:
    """Stretches in order: (is common, part of the left, part of the right)."""
    left_end = right_end = 0
    for a, c, size in _merge_adjacent(_common_blocks(left, right, budget or SearchBudget())):
        if a > left_end or c > right_end:
            yield False, left[left_end:a], right[right_end:c]
        left_end, right_end = a + size, c + size
        yield True, left[a:left_end], right[c:right_end]
    if left_end < len(left) or right_end < len(right):
        yield False, left[left_end:], right[right_end:]


def _merge_adjacent(blocks: list[CommonBlock]) -> Iterator[CommonBlock]:
    last: CommonBlock | None = None
    for a, c, size in sorted(blocks):
        if last and (last[0] + last[2], last[1] + last[2]) == (a, c):
            last = (last[0], last[1], last[2] + size)
        else:
            if last:
                yield last
            last = (a, c, size)
    if last:
        yield last


def _common_blocks(left: Sequence[str], right: Sequence[str], budget: SearchBudget) -> list[CommonBlock]:
    """Common stretches in any order. A part is left[a:b] and right[c:d]."""
    blocks: list[CommonBlock] = []
    pending = [(0, len(left), 0, len(right), 0)]
    while pending:
        a, b, c, d, depth = pending.pop()
        start = a
        while a < b and c < d and left[a] == right[c]:
            a, c = a + 1, c + 1
        if a > start:
            blocks.append((start, c - (a - start), a - start))
        end = b
        while a < b and c < d and left[b - 1] == right[d - 1]:
            b, d = b - 1, d - 1
        if b < end:
            blocks.append((b, d, end - b))
        if a == b or c == d:
            continue
        anchors = _anchors(left, right, (a, b, c, d)) if depth < MAX_ANCHOR_DEPTH else []
        if not anchors:
            blocks += _shortest_edit(left[a:b], right[c:d], a, c, budget)
            continue
        for left_anchor, right_anchor in [*anchors, (b, d)]:
            pending.append((a, left_anchor, c, right_anchor, depth + 1))
            blocks += [(left_anchor, right_anchor, 1)] if left_anchor < b else []
            a, c = left_anchor + 1, right_anchor + 1
    return blocks


def _anchors(
    left: Sequence[str], right: Sequence[str], part: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Members that occur once on both sides: the longest run of them that is in order on both."""
    a, b, c, d = part
    left_counts, right_counts = Counter(left[a:b]), Counter(right[c:d])
    places = {right[n]: n for n in range(c, d)}
    pairs = [
        (n, places[left[n]])
        for n in range(a, b)
        if left_counts[left[n]] == 1 == right_counts.get(left[n], 0) and not left[n].isspace()
    ]
    ends: list[int] = []  # the smallest right end of a run of each length
    last_pairs: list[int] = []
    previous: list[int] = []
    for n, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        previous.append(last_pairs[length - 1] if length else -1)
        if length == len(ends):
            ends.append(place)
            last_pairs.append(n)
        else:
            ends[length], last_pairs[length] = place, n
    run: list[tuple[int, int]] = []
    n = last_pairs[-1] if last_pairs else -1
    while n >= 0:
        run.append(pairs[n])
        n = previous[n]
    return run[::-1]


def _shortest_edit(
    left: Sequence[str], right: Sequence[str], a: int, c: int, budget: SearchBudget
) -> list[CommonBlock]:
    """The common blocks of a shortest edit between two stretches (greedy, forward); none where the search
    takes too long. `a`, `c`: where the stretches start."""
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
    blocks: list[CommonBlock] = []
    x, y = n, m
    for edits in range(len(steps) - 1, -1, -1):
        reach, k = steps[edits], x - y
        down = k == -edits or (k != edits and reach.get(k - 1, -1) < reach.get(k + 1, -1))
        last = k + 1 if down else k - 1
        previous_x = reach[last] if edits else 0
        x_start = (previous_x if down else previous_x + 1) if edits else 0
        if x > x_start:
            blocks.append((a + x_start, c + x_start - k, x - x_start))
        x, y = previous_x, previous_x - last
    return blocks
