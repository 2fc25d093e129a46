"""A file: a name, a purpose and bytes. The bytes are identified by their SHA-256."""

from pathlib import PurePosixPath

from migrate.model.entity import Entity
from migrate.model.kinds import SERVER_SET_FACTS, Kind

BYTES_FROM_DOWNLOAD = "download"
BYTES_FROM_ORIGINAL = "original"
# Where the bytes of a file are from: its service, a folder of originals, or, where the bytes could not be
# read, the text that a vector store parsed out of them.
BYTES_FROM_PARSED_TEXT = "parsed"
BYTES_FROM_DIRECTORY = "directory"
# The same for a file of a config directory: its own `path`, or absent.
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
        "bytes_from": "where the bytes in the archive are from",
        "bytes_reported": "the size that the service reports",
    },
)


def file_on_service(file: Entity) -> Entity:
    """A file as its service has it. Where only its parsed text was read, size and hash of that text are not
    those of the file."""
    if file.kind != "file" or file.facts.get("bytes_from") != BYTES_FROM_PARSED_TEXT:
        return file
    return file.with_fields(bytes=file.facts.get("bytes_reported"), sha256=None)


def normalize_filename(name: str) -> str:
    """The name of a file as vector stores accept it: without blanks and dots at its end, the extension in
    lower case. Services compare the extension case-sensitively (a project refused `.PDF`)."""
    stripped = name.rstrip(". ") or name
    extension = PurePosixPath(stripped).suffix
    return stripped[: len(stripped) - len(extension)] + extension.lower() if extension else stripped


def is_same_filename(left: object, right: object) -> bool:
    """Whether two names of files are equal, apart from the case of their extensions."""
    names = isinstance(left, str) and isinstance(right, str)
    return names and normalize_filename(str(left)) == normalize_filename(str(right))
