"""The table of vector stores, and one store: its files with chunking and attributes, and who uses it."""

from __future__ import annotations

from starlette.responses import Response

from migrate.model import JSON, Entity
from migrate.serve.page_request import PageRequest
from migrate.serve.pages.object_page import object_page
from migrate.serve.pages.object_rows import find_shown_object, read_rows


def vector_stores_page(request: PageRequest) -> Response:
    """The table of vector stores."""
    return request.answer("vector_stores.html.j2", "vector-stores", table=read_rows(request, "vector_store"))


def vector_store_page(request: PageRequest) -> Response:
    """One vector store."""
    shown = find_shown_object(request, "vector_store")
    entity = shown.entity
    table = read_rows(request, "vector_store_file", entity.id)
    return object_page(
        request,
        "vector_store.html.j2",
        "vector-stores",
        shown,
        expiry=expiry_text(shown.fields["expires_after"]),
        counts=counts_text(shown.facts["file_counts"]),
        table=table,
        names={str(row.fields["file_id"]): _file_name(request, row.entity) for row in table.rows},
        chunking_text=chunking_text,
    )


def _file_name(request: PageRequest, member: Entity) -> str | None:
    """The name of a file in a store; None where the snapshot does not have the file."""
    found = request.snapshot.find(str(member.fields.get("file_id")))
    return next((str(body.get("filename") or "") for kind, _, body in found if kind == "file"), None)


def chunking_text(strategy: JSON) -> str:
    """A chunking strategy in words."""
    if not isinstance(strategy, dict):
        return ""
    static = strategy.get("static")
    if not isinstance(static, dict):
        return str(strategy.get("type") or "")
    size, overlap = static.get("max_chunk_size_tokens"), static.get("chunk_overlap_tokens")
    return f"{size} tokens, {overlap} overlap"


def expiry_text(rule: JSON) -> JSON:
    """`expires_after` in words."""
    if not isinstance(rule, dict) or not isinstance(rule.get("days"), int):
        return rule
    since = {"last_active_at": "it was last used"}.get(str(rule.get("anchor")), str(rule.get("anchor")))
    return f"{rule['days']:,} days after {since}"


def counts_text(counts: JSON) -> JSON:
    """The numbers of files by state, without those that are zero."""
    if not isinstance(counts, dict):
        return counts
    shown = [f"{number} {str(name).replace('_', ' ')}" for name, number in counts.items() if number]
    return ", ".join(shown) or "none"
