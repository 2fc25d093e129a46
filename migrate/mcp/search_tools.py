"""The tool that finds texts: through the index, or without one by reading everything."""

from __future__ import annotations

from migrate.mcp.answers import fill_rows, quote
from migrate.mcp.tools import (
    SNAPSHOT_PARAMETER,
    ArchiveTool,
    ToolParameter,
    ToolRequest,
    WrongToolCall,
    limit_parameter,
    offset_parameter,
)
from migrate.model import JSON
from migrate.model.results.query import SearchHit
from migrate.model.results.text_search import TextHit
from migrate.model.search_query import SearchQuery, parse_search_query
from migrate.model.utc_time import ISO_SECONDS, utc_text
from migrate.stages.query.search import SEARCHED_FIELDS, search
from migrate.stages.query.text_search import is_indexed, search_index

# Hits of a search without an index that can be skipped: each answer reads from the beginning.
MAX_SKIPPED_HITS = 10_000
NO_INDEX_NOTE_OF_SEARCH = (
    "The snapshot is in no index: the words were looked for as one literal text, in messages, instructions, "
    "names and descriptions only. A person can make an index: assistants-migrate index {}"
)


def search_answer(request: ToolRequest) -> dict[str, JSON]:
    """Objects whose texts fit a query."""
    query = parse_search_query(request.text("query"))
    if is_indexed(request.snapshot):
        return _indexed_answer(request, query)
    return _literal_answer(request, query)


def _indexed_answer(request: ToolRequest, query: SearchQuery) -> dict[str, JSON]:
    head = request.head()
    offset, limit = request.number("offset"), request.number("limit")
    page = search_index(request.snapshot, query, limit, offset)
    rows, _ = fill_rows(page.hits, _hit_row, limit, request.room(head))
    following = offset + len(rows)
    goes_on = request.next_call(offset=following) if rows and following < page.count else None
    return {**head, "hits_found": page.count_text, "hits": rows, "next": goes_on}


def _hit_row(hit: TextHit) -> dict[str, JSON]:
    found = dict.fromkeys(text for text, is_found in hit.excerpt if is_found)
    return {
        "kind": hit.kind,
        "id": hit.id,
        **({"in": hit.parent} if hit.parent else {}),
        **({"message_number": hit.number} if hit.number else {}),
        **({"at": utc_text(hit.at, ISO_SECONDS)} if hit.at is not None else {}),
        **quote(
            name=hit.name, role=hit.role, field=hit.field, found=list(found),
            excerpt="".join(text for text, _ in hit.excerpt),
        ),
    }  # fmt: skip


def _literal_answer(request: ToolRequest, query: SearchQuery) -> dict[str, JSON]:
    note = NO_INDEX_NOTE_OF_SEARCH.format(request.path.name)
    unusable = (query.roles, query.threads, query.assistants, query.files, query.meta, query.excluded)
    text = " ".join(term.text for term in query.terms)
    if any(unusable) or query.after is not None or query.before is not None or not text:
        raise WrongToolCall(
            "this query needs an index", note, "look for a text without filters, or only with kind:"
        )
    kinds = query.kinds or tuple(SEARCHED_FIELDS)
    unsearched = [kind for kind in kinds if kind not in SEARCHED_FIELDS]
    if unsearched:
        raise WrongToolCall(f"without an index nothing is found in kind {unsearched[0]!r}", note)
    head = {**request.head(), "index": note}
    if request.number("offset") > MAX_SKIPPED_HITS:
        raise WrongToolCall(f"without an index at most {MAX_SKIPPED_HITS:,} hits can be skipped", note)
    rows, following = request.rows(search(request.snapshot, text, kinds), _literal_row, head)
    return {**head, "hits": rows, "next": following}


def _literal_row(hit: SearchHit) -> dict[str, JSON]:
    parent = {"in": hit.parent} if hit.parent else {}
    return {"kind": hit.kind, "id": hit.id, **parent, **quote(field=hit.field, excerpt=hit.excerpt)}


SEARCH_TOOLS = (
    ArchiveTool(
        "search",
        "Search the archive",
        "Finds objects of a snapshot by their texts: messages, instructions, names, descriptions, "
        "metadata, file names, code and outputs of tools, texts of files. The query has words (all must "
        'occur; case and accents do not matter), "phrases", prefix*, -excluded words, and filters kind: '
        "role: thread: assistant: after: before: meta.KEY: file:, as in kind:message role:user "
        'after:2026-03-01 "spare key". The best hits come first, each with an excerpt. At most 50 hits '
        "an answer. Without an index in the archive the query is one literal text.",
        (
            ToolParameter("query", "text", "What to look for.", required=True),
            SNAPSHOT_PARAMETER,
            limit_parameter("hits", 20, 50),
            offset_parameter("hits"),
        ),
        search_answer,
    ),
)
