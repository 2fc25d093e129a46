"""A file: a name, a purpose and bytes. The bytes themselves are known by their SHA-256."""

from pathlib import PurePosixPath

from migrate.model.entity import Entity
from migrate.model.kinds import SERVER_SET_FACTS, Kind

BYTES_FROM_DOWNLOAD = "download"
BYTES_FROM_ORIGINAL = "original"
# Where the bytes of a file are from: its service, a folder of originals, or, where nobody has the bytes
# themselves, only the text that a vector store read out of them.
BYTES_FROM_PARSED_TEXT = "parsed"
BYTES_FROM_DIRECTORY = "directory"
# The same of a file that a config directory names: its own `path`, or nowhere.
BYTES_ABSENT = "absent"

FILE_KIND = Kind(
    name="file",
    plural="files",
    fields=("filename", "purpose", "bytes", "sha256"),
    facts={
        **SERVER_SET_FACTS,
        "status": "processing state on its service",
        "status_details": "processing state on its service",
        "expires_at": "counts from the creation on its service",
        "bytes_from": "where the archive has the bytes from",
        "bytes_told": "the size that the service tells",
    },
)


def file_on_service(file: Entity) -> Entity:
    """A file as its service has it: where only its parsed text is here, that text says nothing of its size
    and hash."""
    if file.kind != "file" or file.facts.get("bytes_from") != BYTES_FROM_PARSED_TEXT:
        return file
    return file.with_fields(bytes=file.facts.get("bytes_told"), sha256=None)


def normalize_filename(name: str) -> str:
    """A file's name as vector stores know it: without blanks and dots behind it, its ending in small letters.

    Services tell kinds of files by the ending of the name, letter by letter (a project refused `.PDF`)."""
    kept = name.rstrip(". ") or name
    ending = PurePosixPath(kept).suffix
    return kept[: len(kept) - len(ending)] + ending.lower() if ending else kept


def is_same_filename(one: object, other: object) -> bool:
    """Whether two names of files differ in nothing but how their endings are spelled."""
    names = isinstance(one, str) and isinstance(other, str)
    return names and normalize_filename(str(one)) == normalize_filename(str(other))
