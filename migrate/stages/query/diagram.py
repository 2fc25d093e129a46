"""Build the diagram of an estate: assistants, stores, files, threads, references and cleanup marks."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.model.entity import ObjectKey
from migrate.model.results.query import CleanupFinding, Diagram, DiagramNode
from migrate.model.secrets import mask_text
from migrate.stages.estate import Estate
from migrate.stages.query.cleanup import CLEANUP_MARKS, find_cleanup_in_usage
from migrate.stages.query.references import Usage, read_usage

MAX_NODES = 400
DIAGRAM_KINDS = ("assistant", "vector_store", "file", "thread")
# Kind that has no node of its own -> the kind of its parent, which carries its mark.
NODE_KIND = {"vector_store_file": "vector_store"}


def estate_diagram(estate: Estate, max_nodes: int = MAX_NODES, sibling: Estate | None = None) -> Diagram:
    """A diagram with at most `max_nodes` nodes. Where there are more, the least connected ones without a mark
    are left out first. `sibling`: the other generation of the same project."""
    usage = read_usage(estate)
    result = find_cleanup_in_usage(usage, CLEANUP_MARKS, read_usage(sibling) if sibling else None)
    nodes, edges = _nodes_and_edges(usage, _marks_by_node(result.findings))
    return _limit(nodes, edges, max_nodes)


_NodeMarks = dict[ObjectKey, dict[str, None]]
_Nodes = dict[ObjectKey, DiagramNode]
_Edges = dict[tuple[ObjectKey, ObjectKey], None]


def _marks_by_node(findings: tuple[CleanupFinding, ...]) -> _NodeMarks:
    """The marks of each node."""
    marks: _NodeMarks = {}
    for finding in findings:
        kind = NODE_KIND.get(finding.kind, finding.kind)
        id_ = finding.parent if kind != finding.kind else finding.id
        marks.setdefault((kind, id_), {})[finding.mark] = None
    return marks


def _nodes_and_edges(usage: Usage, marks: _NodeMarks) -> tuple[_Nodes, _Edges]:
    nodes: _Nodes = {}
    for kind in DIAGRAM_KINDS[:-1]:
        for entity in usage.estate.objects(kind).values():
            key = (kind, entity.id)
            nodes[key] = DiagramNode(kind, entity.id, mask_text(entity.name), tuple(marks.get(key, ())))
    edges = {edge: None for edge in usage.edges if edge[1] in nodes}
    for node, references in _thread_nodes(usage, nodes):
        nodes["thread", node.id] = node
        edges.update({(("thread", node.id), key): None for key in references})
    return nodes, edges


def _thread_nodes(usage: Usage, nodes: _Nodes) -> Iterator[tuple[DiagramNode, list[ObjectKey]]]:
    """One node for all threads with the same references. They are orphans where a referenced object is
    missing."""
    for references, group in usage.thread_groups.items():
        existing = [key for key in references if key in nodes]
        is_orphan = any(key not in nodes and key[0] not in usage.gaps for key in references)
        marks = ("orphan",) if is_orphan else ()
        node = DiagramNode("thread", group.first.id, mask_text(group.first.name), marks, group.count)
        yield node, sorted(existing)


def _limit(nodes: _Nodes, edges: _Edges, max_nodes: int) -> Diagram:
    degree = dict.fromkeys(nodes, 0)
    for pair in edges:
        for end in pair:
            degree[end] += 1
    order = {key: place for place, key in enumerate(nodes)}
    ranked = sorted(nodes, key=lambda key: (not nodes[key].marks, -degree[key], order[key]))
    kept = sorted(ranked[: max(0, max_nodes)], key=order.__getitem__)
    left_out: dict[str, int] = {}
    for key in ranked[max(0, max_nodes) :]:
        left_out[key[0]] = left_out.get(key[0], 0) + nodes[key].weight
    places = {key: n for n, key in enumerate(kept)}
    pairs = ((places[a], places[b]) for a, b in edges if a in places and b in places)
    return Diagram(tuple(nodes[key] for key in kept), tuple(pairs), left_out)
