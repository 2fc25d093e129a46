"""A file: a name, a purpose and bytes. The bytes themselves are known by their SHA-256."""

from migrate.model.entity import Entity
from migrate.model.kinds import SERVER_MADE, Kind

DOWNLOAD = "download"
ORIGINAL = "original"
PARSED = "parsed"
"""Where the bytes of a file are from: its service, a folder of originals, or, where nobody has the bytes
themselves, only the text that a vector store read out of them."""
DIRECTORY = "directory"
ABSENT = "absent"
"""The same of a file that a config directory names: its own `path`, or nowhere."""

KIND = Kind(
    name="file",
    plural="files",
    fields=("filename", "purpose", "bytes", "sha256"),
    facts={
        **SERVER_MADE,
        "status": "processing state on its service",
        "status_details": "processing state on its service",
        "expires_at": "counts from the creation on its service",
        "bytes_from": "where the archive has the bytes from",
        "bytes_told": "the size that the service tells",
    },
)


def as_served(file: Entity) -> Entity:
    """A file as its service has it: where only its parsed text is here, that text says nothing of its size
    and hash."""
    if file.kind != "file" or file.facts.get("bytes_from") != PARSED:
        return file
    return file.with_fields(bytes=file.facts.get("bytes_told"), sha256=None)
