"""Examples: files, vector stores, and files in stores."""

from __future__ import annotations

from migrate.model.file import BYTES_FROM_PARSED_TEXT
from tools.docs.examples.example import Example

LARGE = 600 * 1024**2
LONG = "x" * 600


def _file(field: str, title: str, **says: object) -> Example:
    return Example("file", field, title, says)


STORED = (
    _file("filename", "a name"),
    _file("filename", "a name with quotes, backslashes or control characters", filename='the "last" one.pdf'),
    _file("filename", "no name", filename=None),
    _file("purpose", "`assistants`"),
    _file("purpose", "`batch`, `fine-tune`, `evals`", purpose="batch"),
    _file("purpose", "`vision`", purpose="vision", filename="leaf.png"),
    _file("purpose", "`user_data`", purpose="user_data"),
    _file("purpose", "`assistants_output`: made by a tool", purpose="assistants_output"),
    _file("purpose", "the same, an image", purpose="assistants_output", filename="chart.png"),
    _file("bytes", "in the archive"),
    _file("bytes", "not in the archive", sha256=None),
    Example("file", "bytes", "only the text that a store read out of them",
            facts={"bytes_from": BYTES_FROM_PARSED_TEXT}),
    _file("bytes", "more than the target takes", bytes=LARGE),
    _file("sha256", "their hash; compared wherever the bytes can be read back"),
    Example("file", "expires_at", "an end", facts={"expires_at": 1}),
    Example("file", "id", "the very file is on the target: one project", id="shared-report"),
    Example("vector_store", "name", "a name", {"name": "Notes"}),
    Example("vector_store", "name", "beyond `name_max`", {"name": LONG}),
    Example("vector_store", "description", "a description", {"description": "What we know"}),
    Example("vector_store", "metadata", "a pair", {"metadata": {"team": "plants"}}),
    Example(
        "vector_store", "expires_after", "days without use",
        {"expires_after": {"anchor": "last_active_at", "days": 7}},
    ),
    Example(
        "vector_store", "expires_after", "anything else",
        {"expires_after": {"anchor": "created_at", "days": 7}},
    ),
    Example("vector_store", "status", "expired", facts={"status": "expired"}),
    Example("vector_store", "id", "the very store is on the target: one project", id="shared-store"),
    Example("vector_store_file", "file_id", "a file that is moved"),
    Example("vector_store_file", "file_id", "a file that cannot be moved", {"file_id": "gone-report"}),
    Example("vector_store_file", "file_id", "a `.csv`", {"file_id": "table"}),
    Example("vector_store_file", "attributes", "a pair", {"attributes": {"year": 2025}}),
    Example("vector_store_file", "attributes", "a text beyond 512 signs", {"attributes": {"note": LONG}}),
    Example(
        "vector_store_file", "chunking_strategy", "`static`",
        {"chunking_strategy": {
            "type": "static", "static": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}
        }},
    ),
    Example(
        "vector_store_file", "chunking_strategy", "`other`: the service's word for not known",
        {"chunking_strategy": {"type": "other"}},
    ),
    Example("vector_store_file", "status", "the source could not index it", facts={"status": "failed"}),
)  # fmt: skip
