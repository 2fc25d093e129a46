"""A vector store and the files in it, with the chunking and attributes of each."""

from collections.abc import Mapping

from migrate.model.entity import JSON
from migrate.model.kinds import SERVER_SET_FACTS, Kind, Ref

VECTOR_STORE = Kind(
    name="vector_store",
    plural="vector_stores",
    fields=("name", "description", "metadata", "expires_after"),
    facts={
        **SERVER_SET_FACTS,
        "status": "ingestion state; an expired store is recreated",
        "usage_bytes": "counted by the service",
        "file_counts": "counted by the service; the files themselves are compared",
        "expires_at": "the period of expires_after starts again on the target",
        "last_active_at": "set by the server",
    },
)

VECTOR_STORE_FILE_KIND = Kind(
    name="vector_store_file",
    plural="vector_store_files",
    parent="vector_store",
    fields=("file_id", "attributes", "chunking_strategy"),
    facts={
        **SERVER_SET_FACTS,
        "vector_store_id": "follows from its vector store",
        "status": "ingestion state",
        "last_error": "ingestion state",
        "usage_bytes": "counted by the service",
    },
    refs=(Ref("file_id", "file"),),
)


def ingestion_error(facts: Mapping[str, JSON]) -> str:
    """Why a file of a vector store is not searchable: the message of the service, or its status."""
    error = facts.get("last_error")
    message = error.get("message") if isinstance(error, Mapping) else error
    return str(message or facts.get("status") or "no reason given")
