"""Lay out the diagram of an estate: positions of boxes and curves, and the same as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from migrate.reports.text_table import display_width, single_line

DIAGRAM_COLUMNS = {
    "assistant": "Assistants",
    "vector_store": "Vector stores",
    "file": "Files",
    "thread": "Threads",
}
MARK_MEANINGS = {
    "orphan": "nothing uses it",
    "expired": "it has expired",
    "unused": "it is empty or was never used",
    "duplicate": "another one is the same",
}
# Boxes per column; the others are counted.
MAX_BOXES_PER_COLUMN = 60
# Sizes in units of the drawing: a box, the room between columns, a row, the head.
WIDTH, GAP, HEIGHT, STEP, TOP = 220, 80, 30, 40, 44
MAX_BOX_LABEL_COLUMNS = 27
ORDERING_PASSES = 4


@dataclass(frozen=True)
class Box:
    """One object: where it stands, how it is called, what is wrong with it."""

    number: int
    x: int
    y: int
    kind: str
    label: str
    name: str
    marks: tuple[str, ...]
    mark: str
    reaches: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """A tie between two boxes, by their numbers; `far` passes over a column in between."""

    path: str
    far: bool
    start_box: int
    end_box: int


@dataclass(frozen=True)
class DiagramLayout:
    """Everything an SVG needs. `left_out` counts per column what is not drawn."""

    label: str
    width: int
    height: int
    heads: tuple[tuple[int, str, int], ...]
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    left_out: tuple[tuple[str, int], ...]
    marked: tuple[tuple[str, int], ...]


def layout_diagram(label: str, picture: Any) -> DiagramLayout:
    """Place each kind in its column, neighbours near each other."""
    nodes = list(picture.nodes)
    edges = [(a, b) for a, b in picture.edges if 0 <= a < len(nodes) and 0 <= b < len(nodes)]
    columns = {kind: [n for n, node in enumerate(nodes) if node.kind == kind] for kind in DIAGRAM_COLUMNS}
    _order_columns(columns, edges)
    shown = {kind: rows[:MAX_BOXES_PER_COLUMN] for kind, rows in columns.items()}
    place: dict[int, tuple[int, int]] = {}
    for column, rows in enumerate(shown.values()):
        place |= {n: (column * (WIDTH + GAP), TOP + row * STEP) for row, n in enumerate(rows)}
    names = {n: _name(nodes[n]) for n in range(len(nodes))}
    near: dict[int, list[str]] = {}
    for a, b in edges:
        near.setdefault(a, []).append(names[b])
        near.setdefault(b, []).append(names[a])
    boxes = [_box(n, nodes[n], *place[n], names[n], tuple(near.get(n, ()))) for n in place]
    marked = {mark: sum(mark in node.marks for node in nodes) for mark in MARK_MEANINGS}
    return DiagramLayout(
        label=single_line(label),
        width=4 * WIDTH + 3 * GAP,
        height=TOP + STEP * max(1, *map(len, shown.values())),
        heads=tuple(
            (n * (WIDTH + GAP), head, _total(nodes, columns[kind], kind, picture.left_out))
            for n, (kind, head) in enumerate(DIAGRAM_COLUMNS.items())
        ),
        boxes=tuple(boxes),
        curves=tuple(Curve(*_curve(place[a], place[b]), a, b) for a, b in edges if a in place and b in place),
        left_out=_left_out(columns, picture.left_out),
        marked=tuple((mark, count) for mark, count in marked.items() if count),
    )


def _order_columns(columns: dict[str, list[int]], edges: list[tuple[int, int]]) -> None:
    """Order each column by the mean place of what its members are tied to; loose ones come last."""
    near: dict[int, list[int]] = {}
    for a, b in edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    for _ in range(ORDERING_PASSES):
        for kind, rows in columns.items():
            at = {n: row / len(one) for one in columns.values() for row, n in enumerate(one)}
            mean = {n: _mean([at[other] for other in near.get(n, ()) if other in at]) for n in rows}
            columns[kind] = sorted(rows, key=mean.__getitem__)


def _mean(places: list[float]) -> float:
    return sum(places) / len(places) if places else 2.0


def _box(number: int, node: Any, x: int, y: int, name: str, reaches: tuple[str, ...]) -> Box:
    marks = tuple(mark for mark in MARK_MEANINGS if mark in node.marks)
    room = MAX_BOX_LABEL_COLUMNS - (len(marks[0]) + 1 if marks else 0)
    return Box(number, x, y, node.kind, _cut(name, room), name, marks, marks[0] if marks else "", reaches)


def _name(node: Any) -> str:
    said = single_line(node.name) or ("" if node.weight > 1 else single_line(node.id))
    if node.kind == "thread" and node.weight > 1:
        return f"{node.weight:,} threads{f' {said}' if said else ''}"
    return said or "(no name)"


def _cut(text: str, room: int) -> str:
    if display_width(text[: room + 1]) <= room and len(text) <= room:
        return text
    kept = text[: room - 1]
    while display_width(kept) > room - 1:
        kept = kept[:-1]
    return f"{kept}…"


def _curve(one: tuple[int, int], other: tuple[int, int]) -> tuple[str, bool]:
    """A path from box to box, and whether it passes over a column in between."""
    (x1, y1), (x2, y2) = sorted((one, other))
    y1, y2 = y1 + HEIGHT // 2, y2 + HEIGHT // 2
    start, far = x1 + WIDTH, x2 - x1 > WIDTH + GAP
    if x1 == x2:
        return f"M{start} {y1}C{start + 40} {y1} {start + 40} {y2} {start} {y2}", False
    bend = (x2 - start) // 2
    return f"M{start} {y1}C{start + bend} {y1} {x2 - bend} {y2} {x2} {y2}", far


def _total(nodes: list[Any], rows: list[int], kind: str, left_out: Mapping[str, int]) -> int:
    return sum(max(int(nodes[n].weight), 1) for n in rows) + left_out.get(kind, 0)


def _left_out(columns: dict[str, list[int]], left_out: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    rest = {
        head: max(len(columns[kind]) - MAX_BOXES_PER_COLUMN, 0) + left_out.get(kind, 0)
        for kind, head in DIAGRAM_COLUMNS.items()
    }
    return tuple((head, number) for head, number in rest.items() if number)
