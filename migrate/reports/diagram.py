"""Compute the layout of an estate's diagram: positions of boxes and curves, and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from migrate.model.results.query import Diagram, DiagramNode
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
# Boxes drawn per column; the others are only counted.
MAX_BOXES_PER_COLUMN = 60
# Sizes in units of the drawing: a box, the distance between columns and rows, the height of the column heads.
BOX_WIDTH, BOX_HEIGHT, COLUMN_GAP, ROW_HEIGHT, HEAD_HEIGHT = 220, 30, 80, 40, 44
MAX_BOX_LABEL_COLUMNS = 27
ORDERING_PASSES = 4


@dataclass(frozen=True)
class Box:
    """One object: its position, its name, and the marks of a cleanup. `reaches`: names of connected boxes."""

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
    """A connection of two boxes, by their numbers. `far`: it crosses a column."""

    path: str
    far: bool
    start_box: int
    end_box: int


@dataclass(frozen=True)
class DiagramLayout:
    """Everything that the SVG needs. `left_out`: number of objects per column that are not drawn."""

    label: str
    width: int
    height: int
    heads: tuple[tuple[int, str, int], ...]
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    left_out: tuple[tuple[str, int], ...]
    marked: tuple[tuple[str, int], ...]


def layout_diagram(label: str, diagram: Diagram) -> DiagramLayout:
    """Place each kind in its column, with connected objects near each other."""
    nodes = list(diagram.nodes)
    edges = [(a, b) for a, b in diagram.edges if 0 <= a < len(nodes) and 0 <= b < len(nodes)]
    columns = {kind: [n for n, node in enumerate(nodes) if node.kind == kind] for kind in DIAGRAM_COLUMNS}
    _order_columns(columns, edges)
    shown = {kind: rows[:MAX_BOXES_PER_COLUMN] for kind, rows in columns.items()}
    position: dict[int, tuple[int, int]] = {}
    for column, rows in enumerate(shown.values()):
        x = column * (BOX_WIDTH + COLUMN_GAP)
        position |= {n: (x, HEAD_HEIGHT + row * ROW_HEIGHT) for row, n in enumerate(rows)}
    names = [_name(node) for node in nodes]
    near = _neighbours(edges)
    boxes = [
        _box(n, nodes[n], *position[n], names[n], tuple(names[m] for m in near.get(n, ()))) for n in position
    ]
    marked = {mark: sum(mark in node.marks for node in nodes) for mark in MARK_MEANINGS}
    return DiagramLayout(
        label=single_line(label),
        width=4 * BOX_WIDTH + 3 * COLUMN_GAP,
        height=HEAD_HEIGHT + ROW_HEIGHT * max(1, *map(len, shown.values())),
        heads=tuple(
            (n * (BOX_WIDTH + COLUMN_GAP), head, _total(nodes, columns[kind], kind, diagram.left_out))
            for n, (kind, head) in enumerate(DIAGRAM_COLUMNS.items())
        ),
        boxes=tuple(boxes),
        curves=tuple(
            Curve(*_curve(position[a], position[b]), a, b)
            for a, b in edges
            if a in position and b in position
        ),
        left_out=_left_out(columns, diagram.left_out),
        marked=tuple((mark, count) for mark, count in marked.items() if count),
    )


def _neighbours(edges: list[tuple[int, int]]) -> dict[int, list[int]]:
    near: dict[int, list[int]] = {}
    for a, b in edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    return near


def _order_columns(columns: dict[str, list[int]], edges: list[tuple[int, int]]) -> None:
    """Order each column by the mean position of connected objects; unconnected ones come last."""
    near = _neighbours(edges)
    for _ in range(ORDERING_PASSES):
        for kind, rows in columns.items():
            share = {n: row / len(column) for column in columns.values() for row, n in enumerate(column)}
            mean = {n: _mean([share[m] for m in near.get(n, ()) if m in share]) for n in rows}
            columns[kind] = sorted(rows, key=mean.__getitem__)


def _mean(shares: list[float]) -> float:
    return sum(shares) / len(shares) if shares else 2.0  # behind every share, which is below 1


def _box(number: int, node: DiagramNode, x: int, y: int, name: str, reaches: tuple[str, ...]) -> Box:
    marks = tuple(mark for mark in MARK_MEANINGS if mark in node.marks)
    label = _cut(name, MAX_BOX_LABEL_COLUMNS - (len(marks[0]) + 1 if marks else 0))
    return Box(number, x, y, node.kind, label, name, marks, marks[0] if marks else "", reaches)


def _name(node: DiagramNode) -> str:
    name = single_line(node.name) or ("" if node.weight > 1 else single_line(node.id))
    if node.kind == "thread" and node.weight > 1:
        return f"{node.weight:,} threads{f' {name}' if name else ''}"
    return name or "(no name)"


def _cut(text: str, columns: int) -> str:
    if display_width(text[: columns + 1]) <= columns and len(text) <= columns:
        return text
    start = text[: columns - 1]
    while display_width(start) > columns - 1:
        start = start[:-1]
    return f"{start}…"


def _curve(first: tuple[int, int], second: tuple[int, int]) -> tuple[str, bool]:
    """An SVG path between two boxes, and whether it crosses a column."""
    (x1, y1), (x2, y2) = sorted((first, second))
    y1, y2 = y1 + BOX_HEIGHT // 2, y2 + BOX_HEIGHT // 2
    start, far = x1 + BOX_WIDTH, x2 - x1 > BOX_WIDTH + COLUMN_GAP
    if x1 == x2:
        return f"M{start} {y1}C{start + 40} {y1} {start + 40} {y2} {start} {y2}", False
    bend = (x2 - start) // 2
    return f"M{start} {y1}C{start + bend} {y1} {x2 - bend} {y2} {x2} {y2}", far


def _total(nodes: list[DiagramNode], rows: list[int], kind: str, left_out: Mapping[str, int]) -> int:
    return sum(max(int(nodes[n].weight), 1) for n in rows) + left_out.get(kind, 0)


def _left_out(columns: dict[str, list[int]], left_out: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    rest = {
        head: max(len(columns[kind]) - MAX_BOXES_PER_COLUMN, 0) + left_out.get(kind, 0)
        for kind, head in DIAGRAM_COLUMNS.items()
    }
    return tuple((head, number) for head, number in rest.items() if number)
