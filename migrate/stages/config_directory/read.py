"""Read a config directory into a snapshot of type `config`; all mistakes are reported together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.snapshots.reader import open_snapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.codecs.config_directory import (
    ASSISTANTS_FOLDER,
    CONFIG_TYPE,
    FILES_YAML,
    VARIABLES_TOML,
    VECTOR_STORES_FOLDER,
)
from migrate.codecs.config_directory.parse import (
    ConfigBody,
    ConfigContents,
    ConfigObject,
    parse_config_directory,
)
from migrate.codecs.config_directory.validate import Problem, raise_for_problems
from migrate.codecs.config_directory.variables import Environment, apply_environment, choose_environment
from migrate.codecs.config_directory.variables import read_variables as read_variables
from migrate.errors import BadUsage
from migrate.files.text import NotUtf8, decode_utf8, read_bytes
from migrate.model.file import BYTES_FROM_DIRECTORY
from migrate.stages.estate import Estate

OBJECT_FILE_ENDINGS = {ASSISTANTS_FOLDER: (".md",), VECTOR_STORES_FOLDER: (".yaml", ".yml")}
# Names of files that describe a folder.
IGNORED_FILE_NAMES = frozenset({"readme.md"})
HASH_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class DirectoryOptions:
    """A config directory, and which environment of it is used: `environment`, or else the one with the name
    of the estate on the other side (`other_side`)."""

    path: Path
    environment: str = ""
    other_side: str = ""


@dataclass(frozen=True)
class DirectoryContents:
    """What was read: the environment's name ('' where none), and the objects with their files."""

    environment: str
    values: Environment
    contents: ConfigContents
    local: Mapping[str, Path]


def is_config_directory(folder: Path) -> bool:
    """Whether a folder is a config directory."""
    return any(
        (folder / name).exists()
        for name in (ASSISTANTS_FOLDER, VECTOR_STORES_FOLDER, FILES_YAML, VARIABLES_TOML)
    )


def read_texts(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """The text of every file of the configuration, by its path in the directory."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        try:
            texts[name] = decode_utf8(read_bytes(path)).replace("\r\n", "\n")
        except NotUtf8 as error:
            problems.append(Problem(name, error.line, "", error.reason))
        except BadUsage as error:
            problems.append(Problem(name, 0, "", f"cannot be read: {error.why}"))
    return texts, problems


def _paths(folder: Path) -> Iterator[Path]:
    for name, endings in OBJECT_FILE_ENDINGS.items():
        inside = sorted((folder / name).iterdir()) if (folder / name).is_dir() else []
        yield from (p for p in inside if p.suffix in endings and p.name.lower() not in IGNORED_FILE_NAMES)
    yield from (folder / name for name in (FILES_YAML, VARIABLES_TOML) if (folder / name).exists())


def read_directory(directory: DirectoryOptions) -> DirectoryContents:
    """Read and check everything. Raises `BadUsage` with a list of the mistakes."""
    folder = directory.path
    if not is_config_directory(folder):
        raise BadUsage(
            f"{folder} is no config directory",
            f"it has none of {ASSISTANTS_FOLDER}/, {VECTOR_STORES_FOLDER}/, "
            f"{FILES_YAML} and {VARIABLES_TOML}",
            f"write one: export ESTATE {folder}",
        )
    texts, problems = read_texts(folder)
    environments, wrong = read_variables(texts.pop(VARIABLES_TOML, ""))
    contents, mistakes = parse_config_directory(texts)
    local, lacking = _local_files(folder, contents)
    raise_for_problems([*problems, *wrong, *mistakes, *lacking], str(folder))
    name, values = choose_environment(environments, directory.environment, directory.other_side)
    return DirectoryContents(name, values, apply_environment(contents, values), local)


def _local_files(folder: Path, contents: ConfigContents) -> tuple[dict[str, Path], list[Problem]]:
    """Key -> the local file with the bytes. Each is compared with its entry, which gets its size and hash."""
    paths: dict[str, Path] = {}
    problems: list[Problem] = []
    for entry in contents.objects["file"]:
        if entry.key not in contents.paths:
            continue
        path = (folder / contents.paths[entry.key]).resolve()
        try:
            reason = _check_local_file(folder, path, entry)
        except OSError as error:
            reason = (("path",), f"{contents.paths[entry.key]}: {(error.strerror or str(error)).lower()}")
        if reason:
            problems.append(entry.problem(*reason))
        paths[entry.key] = path
    return paths, problems


def _check_local_file(folder: Path, path: Path, entry: ConfigObject) -> tuple[tuple[str, ...], str] | None:
    """The problem with a local file; without one, its size and hash are added to the entry."""
    if not path.is_relative_to(folder.resolve()):
        return ("path",), "leads out of the directory"
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(HASH_CHUNK_BYTES):
            digest.update(data)
            size += len(data)
    facts = {"sha256": digest.hexdigest(), "bytes": size}
    for field, value in facts.items():
        if entry.body.get(field) not in (None, value):
            return (field,), f"the bytes at its path are different: {value}"
    entry.body.update(facts)
    return None


def write_directory_snapshot(directory: DirectoryContents, url: str, archive: Archive) -> int:
    """Write a snapshot of a directory, and return its number."""
    options = {"environment": directory.environment, "name_prefix": directory.values.name_prefix}
    writer = SnapshotWriter.begin(archive, CONFIG_TYPE, url, options, None)
    for kind in ("file", "vector_store", "assistant"):
        _write_listing(writer, kind, "", [entry.body for entry in directory.contents.objects[kind]])
    for entry in directory.contents.objects["vector_store"]:
        _write_listing(writer, "vector_store_file", entry.key, directory.contents.members.get(entry.key, []))
    for key, path in directory.local.items():
        with path.open("rb") as file:
            blob = store_blob(archive, iter(lambda: file.read(HASH_CHUNK_BYTES), b""))
        link_file_to_blob(archive, writer.endpoint, key, blob, BYTES_FROM_DIRECTORY)
    writer.finish("complete", "")
    return writer.id


def _write_listing(writer: SnapshotWriter, kind: str, parent: str, bodies: list[ConfigBody]) -> None:
    writer.restart_listing(kind, parent)
    rows = [BodyRow.from_json(kind, body) for body in sorted(bodies, key=lambda body: str(body["id"]))]
    writer.add_page(kind, parent, rows, "")
    writer.end_listing(kind, parent)


def directory_estate(directory: DirectoryContents, url: str, archive: Archive) -> Estate:
    """The estate of a directory, as a snapshot in an archive."""
    return Estate(open_snapshot(archive.conn, write_directory_snapshot(directory, url, archive)))


@contextmanager
def open_directory(directory: DirectoryOptions) -> Iterator[tuple[Estate, str]]:
    """The estate of a directory in a temporary archive, and the name of its environment."""
    contents = read_directory(directory)
    with Archive.temporary() as archive:
        yield directory_estate(contents, str(directory.path.resolve()), archive), contents.environment
