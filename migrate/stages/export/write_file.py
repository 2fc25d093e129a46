"""Write the files of a config directory: only where they differ, and atomically."""

from __future__ import annotations

import contextlib
import hashlib
import json
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from migrate.codecs.config_directory import (
    ASSISTANTS_FOLDER,
    FILES_YAML,
    MANIFEST_PATH,
    SCHEMA_FOLDER,
    VARIABLES_TOML,
    VECTOR_STORES_FOLDER,
    assistant_file,
)
from migrate.codecs.config_directory.parse import config_key
from migrate.codecs.config_directory.schema import json_schemas
from migrate.codecs.config_directory.validate import Problem
from migrate.codecs.config_directory.yaml_text import InvalidYaml, parse_yaml
from migrate.errors import OperationRefused
from migrate.files.output import atomic_write, shared_file_mode, translate_write_errors
from migrate.model import JSON
from migrate.stages.config_directory.read import read_texts
from migrate.stages.safe_filenames import safe_names

# Hex digits that are added where file names would be equal.
NAME_HASH_DIGITS = 8


@dataclass(frozen=True)
class PreviousExport:
    """The files of an earlier export. `places`: kind -> key -> path. `entries`: content of files.yaml.
    `manifest`: paths that an export wrote."""

    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    entries: Mapping[str, JSON] = field(default_factory=dict)
    variables: str = ""
    manifest: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def read_previous_export(folder: Path) -> PreviousExport:
    """Read the files of an earlier export. A file that cannot be read has no key; for files.yaml that is a
    problem, since local paths would be lost."""
    if not folder.is_dir():
        return PreviousExport()
    texts, problems = read_texts(folder)
    places: dict[str, dict[str, str]] = {"assistant": {}, "vector_store": {}}
    entries: JSON = {}
    keys: Counter[tuple[str, str]] = Counter()
    for path, text in texts.items():
        try:
            if path.startswith(f"{ASSISTANTS_FOLDER}/"):
                kind, value = "assistant", assistant_file.parse_assistant_file(text).value
            elif path.startswith(f"{VECTOR_STORES_FOLDER}/"):
                kind, value = "vector_store", parse_yaml(text).value
            else:
                entries = (parse_yaml(text).value or {}) if path == FILES_YAML else entries
                continue
        except InvalidYaml as error:
            problems += [Problem(path, error.line, "", error.reason)] if path == FILES_YAML else []
            continue
        keys[kind, config_key(value)] += 1
        places[kind][config_key(value)] = path
    for (kind, key), uses in keys.items():
        if uses > 1 or not key:
            del places[kind][key]
    manifest = folder / MANIFEST_PATH
    listed = manifest.read_text("utf-8-sig", errors="replace").splitlines() if manifest.is_file() else []
    own = frozenset(line for line in listed if _is_export_path(line))
    rows = entries if isinstance(entries, dict) else {}
    return PreviousExport(places, rows, texts.get(VARIABLES_TOML, ""), own, tuple(problems))


def _is_export_path(path: str) -> bool:
    """Whether a line of the manifest is a path that an export writes. No other file is ever removed."""
    steps = path.split("/")
    return ".." not in steps and (
        path == FILES_YAML
        or (len(steps) == 2 and steps[0] in (ASSISTANTS_FOLDER, VECTOR_STORES_FOLDER, "schema"))
    )


def assign_paths(place: str, ending: str, keys: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Key -> path in the directory: the known path, or else a safe one that is not in use."""
    rows = sorted(keys)
    hashes = {hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest(): key for key in rows}
    names = safe_names((hash_, _without_separators(key)) for hash_, key in hashes.items())
    chosen = {key: known[key] for key in rows if key in known}
    used = {path.casefold() for path in {*chosen.values(), *known.values()}}
    for hash_, key in hashes.items():
        if key in chosen:
            continue
        path = f"{place}/{names[hash_]}{ending}"
        if path.casefold() in used:
            path = f"{place}/{names[hash_]}-{hash_[:NAME_HASH_DIGITS]}{ending}"
        chosen[key] = path
        used.add(path.casefold())
    return chosen


def _without_separators(key: str) -> str:
    """A name with separators is not a path, so they are replaced."""
    return key.replace("/", "-").replace("\\", "-")


class FileChanges(Protocol):
    """A record of the files that were written, unchanged and removed."""

    written: list[str]
    unchanged: int
    removed: list[str]


def schema_files() -> Iterator[tuple[str, str]]:
    """The JSON Schema of every file, for editors."""

    for name, schema in json_schemas().items():
        yield f"{SCHEMA_FOLDER}/{name}", json.dumps(schema, indent=1, sort_keys=True) + "\n"


def write_file(folder: Path, path: str, data: bytes, result: FileChanges) -> None:
    """Write a file unless it has this content already. It appears complete or not at all."""
    place = folder / path
    with translate_write_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.parent.resolve().is_relative_to(folder.resolve()):
            raise OperationRefused(
                f"{place.parent} leads out of the directory", "it is a link", "replace it by a folder"
            )
        if place.is_file() and not place.is_symlink() and _has_content(place, data):
            result.unchanged += 1
            return
        mode = stat.S_IMODE(place.stat().st_mode) & 0o777 if place.is_file() else shared_file_mode()
        with atomic_write(place, mode, durable=False) as file:
            file.write(data)
    result.written.append(path)


def _has_content(place: Path, data: bytes) -> bool:
    """Whether a file has this content. Line ends depend on the checkout and are no difference."""
    content = place.read_bytes()
    return content == data or content.replace(b"\r\n", b"\n") == data


def remove_files(folder: Path, paths: Iterable[str], result: FileChanges) -> None:
    """Remove files that an earlier export wrote and that are not needed any more."""
    for path in sorted(paths):
        with contextlib.suppress(FileNotFoundError):
            (folder / path).unlink()
            result.removed.append(path)
