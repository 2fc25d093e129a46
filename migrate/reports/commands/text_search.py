"""Results of `index` and of `search --query` as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.file_text import MAX_FILE_CHARS
from migrate.model.first_of import first_of
from migrate.model.results.text_search import IndexResult, SearchPage, TextHit
from migrate.model.utc_time import READABLE_MINUTES, utc_text
from migrate.reports.text_table import number_of, shorten

MAX_HIT_CHARS = 300
# Maximum number of listed files of which only a part of the text is indexed.
MAX_CUT_FILES_NAMED = 10


def index_document(result: IndexResult) -> dict[str, JSON]:
    """The JSON document of `index`."""
    return asdict(result)


def index_text(result: IndexResult) -> str:
    """What was added, what the index has now, and what it does not have."""
    files = (
        f", {number_of(result.files, 'text of a file', 'texts of files')} among them" if result.files else ""
    )
    numbers = ", ".join(map(str, result.snapshots))
    holds = f" of snapshot{'s' if len(result.snapshots) > 1 else ''} {numbers}" if numbers else ""
    added = f"added {number_of(result.documents, 'object')} with {result.characters:,} characters{files}"
    lines = [
        added if result.documents else "nothing to add",
        f"the index has {number_of(result.all_documents, 'object')}{holds}",
    ]
    if result.rebuilt:
        lines.insert(0, f"built again: {result.rebuilt}")
    if result.unfinished:
        numbers = ", ".join(map(str, result.unfinished))
        lines.append(f"note: not indexed, because the reading was interrupted: snapshot {numbers}")
    if result.files_cut:
        named = first_of(result.files_cut, MAX_CUT_FILES_NAMED)
        lines.append(f"note: only the first {MAX_FILE_CHARS:,} characters are indexed of file {named}")
    return "\n".join(lines)


def search_page_document(page: SearchPage) -> dict[str, JSON]:
    """The JSON document of `search --query`. Times are seconds since 1970."""
    return {"count": page.count, "is_bounded": page.is_bounded, "hits": list(map(_hit_document, page.hits))}


def _hit_document(hit: TextHit) -> dict[str, JSON]:
    pieces = [{"text": text, "found": found} for text, found in hit.excerpt]
    return {**asdict(hit), "excerpt": pieces}


def search_page_lines(page: SearchPage) -> Iterator[str]:
    """A line for each hit; words of the query are between asterisks."""
    for hit in page.hits:
        where = f" in {shorten(hit.parent)}" if hit.parent else ""
        if hit.first_words:
            where += f' "{shorten(hit.first_words)}"'
        number = f", message {hit.number:,}" if hit.number else ""
        about = ", ".join(filter(None, (utc_text(hit.at, READABLE_MINUTES), hit.role, shorten(hit.name))))
        excerpt = "".join(f"*{text}*" if found else text for text, found in hit.excerpt)
        head = f"{hit.kind} {shorten(hit.id)}{where}{number}{f' ({about})' if about else ''}"
        yield f"{head}, {hit.field}: {shorten(excerpt, MAX_HIT_CHARS)}" if hit.field else head
