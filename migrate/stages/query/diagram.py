"""Build the diagram of an estate: assistants, stores, files, threads, references and cleanup marks."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.model.results.query import CleanupFinding, Diagram, DiagramNode
from migrate.stages.estate import Estate
from migrate.stages.query.cleanup import CLEANUP_MARKS, find_cleanup_in_usage
from migrate.stages.query.references import ObjectKey, ThreadGroup, Usage, read_usage

MAX_NODES = 400
DIAGRAM_KINDS = ("assistant", "vector_store", "file", "thread")
# Kind that has no node of its own -> the kind of its parent, which carries its mark.
NODE_KIND = {"vector_store_file": "vector_store"}


def estate_diagram(estate: Estate, most: int = MAX_NODES, beside: Estate | None = None) -> Diagram:
    """At most so many nodes. Where there are more, the least connected ones without a mark are left out
    first. `beside`: the other generation of the same project."""
    ours = read_usage(estate)
    found = find_cleanup_in_usage(ours, CLEANUP_MARKS, read_usage(beside) if beside else None)
    nodes, edges = _nodes_and_edges(ours, _marks_by_node(found.findings))
    return _cut(nodes, edges, most)


_NodeMarks = dict[ObjectKey, dict[str, None]]
_Nodes = dict[ObjectKey, DiagramNode]
_Edges = dict[tuple[ObjectKey, ObjectKey], None]


def _marks_by_node(findings: tuple[CleanupFinding, ...]) -> _NodeMarks:
    """The marks of each object that is drawn."""
    marks: _NodeMarks = {}
    for one in findings:
        kind = NODE_KIND.get(one.kind, one.kind)
        marks.setdefault((kind, one.parent if kind != one.kind else one.id), {})[one.mark] = None
    return marks


def _nodes_and_edges(found: Usage, marks: _NodeMarks) -> tuple[_Nodes, _Edges]:
    nodes: _Nodes = {}
    for kind in DIAGRAM_KINDS[:-1]:
        for one in found.estate.objects(kind).values():
            nodes[kind, one.id] = DiagramNode(kind, one.id, one.name, tuple(marks.get((kind, one.id), ())))
    edges = {edge: None for edge in found.edges if edge[1] in nodes}
    for node, names in _thread_nodes(found, nodes):
        nodes["thread", node.id] = node
        edges.update({(("thread", node.id), name): None for name in names})
    return nodes, edges


def _thread_nodes(found: Usage, nodes: _Nodes) -> Iterator[tuple[DiagramNode, list[ObjectKey]]]:
    """One node for all threads that hang on the same things. Where one of these is not there, they are
    orphans."""
    for names, fold in found.thread_groups.items():
        there = [name for name in names if name in nodes]
        lost = any(name not in nodes and name[0] not in found.gaps for name in names)
        yield _thread_node(fold, ("orphan",) if lost else ()), sorted(there)


def _thread_node(fold: ThreadGroup, marks: tuple[str, ...]) -> DiagramNode:
    return DiagramNode("thread", fold.first.id, fold.first.name, marks, fold.count)


def _cut(nodes: _Nodes, edges: _Edges, most: int) -> Diagram:
    degree = dict.fromkeys(nodes, 0)
    for pair in edges:
        for end in pair:
            degree[end] += 1
    order = {key: place for place, key in enumerate(nodes)}
    ranked = sorted(nodes, key=lambda key: (not nodes[key].marks, -degree[key], order[key]))
    kept = sorted(ranked[: max(0, most)], key=order.__getitem__)
    left_out: dict[str, int] = {}
    for key in ranked[max(0, most) :]:
        left_out[key[0]] = left_out.get(key[0], 0) + nodes[key].weight
    place = {key: n for n, key in enumerate(kept)}
    pairs = ((place[one], place[other]) for one, other in edges if one in place and other in place)
    return Diagram(tuple(nodes[key] for key in kept), tuple(pairs), left_out)
