"""One file of a config directory in, the same file on disk out: written only where it differs, and whole."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from migrate.codecs.config_directory import SCHEMAS
from migrate.errors import Refused
from migrate.files.output import replacing, shared_mode, told


class Result(Protocol):
    """Where it is noted what was done."""

    written: list[str]
    unchanged: int
    removed: list[str]


def schemas() -> Iterator[tuple[str, str]]:
    """The JSON Schema of every file, for editors."""
    from migrate.codecs.config_directory.schema import documents

    for name, schema in documents().items():
        yield f"{SCHEMAS}/{name}", json.dumps(schema, indent=1, sort_keys=True) + "\n"


def put(folder: Path, path: str, data: bytes, result: Result) -> None:
    """Write a file unless it is so already. It appears whole or not at all."""
    place = folder / path
    with told(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.parent.resolve().is_relative_to(folder.resolve()):
            raise Refused(
                f"{place.parent} leads out of the directory", "it is a link", "replace it by a folder"
            )
        if place.is_file() and not place.is_symlink() and _same(place, data):
            result.unchanged += 1
            return
        mode = stat.S_IMODE(place.stat().st_mode) & 0o777 if place.is_file() else shared_mode()
        with replacing(place, mode, durable=False) as file:
            file.write(data)
    result.written.append(path)


def _same(place: Path, data: bytes) -> bool:
    """Line ends are the checkout's business, not a difference."""
    held = place.read_bytes()
    return held == data or (b"\r\n" in held and held.replace(b"\r\n", b"\n") == data)


def remove(folder: Path, paths: Iterable[str], result: Result) -> None:
    """Take files away that an export wrote and nobody needs any more."""
    for path in sorted(paths):
        with contextlib.suppress(FileNotFoundError):
            (folder / path).unlink()
            result.removed.append(path)
