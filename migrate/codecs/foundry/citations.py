"""Citations of an answer in the form of a conversation: type, file, name of the file, and one position.

| read | written in `output_text.annotations` |
|---|---|
| `file_citation` of an older message | `file_citation`: `file_id`, `filename`, `start_index` as `index` |
| `file_path` of an older message | `file_path`: `file_id`, `start_index` as `index` |
| both, of an item | the same |
| any other type, no position, a file that is not on the target | stays in the archive |

The form follows the API description of 2026-08 and recorded answers (2026-02). Whether a project accepts
citations that a client writes was never recorded, so `apply` finds it out with the first one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.files import filename_on_target
from migrate.codecs.adapt.message import PART_RULES
from migrate.codecs.foundry.items import UNPROVEN
from migrate.model import JSON

CITATION_TYPES = ("file_citation", "file_path")
# Keys that are written, and keys of older messages: the marker stays in the text, the range in the archive.
KNOWN_KEYS = frozenset(
    {"type", "file_id", "filename", "index", "text", "start_index", "end_index", *CITATION_TYPES}
)
ANNOTATIONS_FIELD = "content.text.annotations"
READ_IN_ARCHIVE = "read them in the archive: show, or the messages view"
WHERE_NOT_TAKEN = "where they are refused or not stored, the text arrives without them; the archive has them"


def fit_answer_text(part: dict[str, Any], target: Target, losses: LossCollector) -> list[JSON]:
    """The text of an answer, in several parts where it is too long, each with the citations in it."""
    text = part.get("text") or {}
    given = text.get("annotations") or []
    if not target.allow_citations or not text.get("value"):
        return PART_RULES["text"](part, target, losses)
    written: list[dict[str, Any]] = []
    originals: list[Mapping[str, JSON]] = []
    unwritable: list[JSON] = []
    absent = 0
    for row in given:
        file_id = _cited_file(row)
        citation = _citation(row, file_id, target)
        if citation is not None:
            written.append(citation)
            originals.append(row)
        elif file_id and not target.has("file", file_id):
            absent += 1
        else:
            unwritable.append(row)
    if written:
        losses.add_adapted(ANNOTATIONS_FIELD, _reason(originals), WHERE_NOT_TAKEN)
    if absent:
        reason = f"{absent} citation(s) of files that cannot be moved; their markers stay in the text"
        losses.add_lost(ANNOTATIONS_FIELD, reason, READ_IN_ARCHIVE)
    parts = PART_RULES["text"]({**part, "text": {**text, "annotations": unwritable}}, target, losses)
    limit = target.capabilities.text_max
    for citation in written:
        number = min(citation["index"] // limit, len(parts) - 1)
        moved = {**citation, "index": citation["index"] - number * limit}
        parts[number]["text"]["annotations"].append(moved)
    return parts


def _cited_file(citation: Mapping[str, JSON]) -> str:
    """The id of the file that a citation of either generation names, or ''."""
    type_ = citation.get("type")
    inner = citation.get(type_) if type_ in CITATION_TYPES else None
    file_id = inner.get("file_id") if isinstance(inner, Mapping) else citation.get("file_id")
    return file_id if type_ in CITATION_TYPES and isinstance(file_id, str) else ""


def _citation(given: Mapping[str, JSON], file_id: str, target: Target) -> dict[str, Any] | None:
    """The citation in the form that is written; None where a required key is unknown."""
    index = given.get("start_index") if given.get("index") is None else given["index"]
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        return None
    if not file_id or not target.has("file", file_id):
        return None
    citation = {"type": given["type"], "file_id": file_id, "index": index}
    if given["type"] == "file_path":
        return citation
    file = target.find_file(file_id)
    name = filename_on_target(file, target) if file else given.get("filename")
    return {**citation, "filename": name} if isinstance(name, str) and name else None


def _reason(originals: list[Mapping[str, JSON]]) -> str:
    """What arrives of citations, and which of their keys have no place."""
    older = any(isinstance(row.get(row["type"]), Mapping) for row in originals)
    unknown = {k for row in originals for k, v in row.items() if v not in (None, "", [], {})} - KNOWN_KEYS
    left = [*(("quote", "range") if older else ()), *sorted(unknown)]
    without = f", without {' and '.join(left)}" if left else ""
    return f"{len(originals)} citation(s) arrive with file and position{without}, in a form {UNPROVEN}"
