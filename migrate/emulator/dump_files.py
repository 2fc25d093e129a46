"""A file of a dump comes in; the JSON documents in it go out, or the reason why one is none.

Taken are `.json`, JSON lines (`.jsonl`, `.ndjson`, or several documents in one `.json`), with a byte order
mark or without, in UTF-8, UTF-16 or UTF-32, as editors and PowerShell write them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LINES = frozenset({".jsonl", ".ndjson", ".jsonlines"})
ENDINGS = LINES | {".json"}
MAX_FILE_BYTES = 512 << 20
# What systems leave in folders by themselves.
SPARED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".gitkeep", ".gitignore", ".gitattributes"})
# json.detect_encoding knows the marks, and encodings without one by where the zeros are.
DEEPEST = "it is nested too deeply"


@dataclass(frozen=True)
class Unread:
    """What could not be read: where in the file ('' for all of it), and why."""

    where: str
    reason: str


def documents(path: Path) -> Iterator[Any | Unread]:
    """Every JSON document of a file, in order."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            yield Unread("", f"larger than {MAX_FILE_BYTES >> 20} MB")
            return
        data = path.read_bytes()
        text = data.decode(json.detect_encoding(data)).lstrip("\ufeff")
    except OSError as error:
        yield Unread("", error.strerror or str(error))
        return
    except UnicodeDecodeError as error:
        yield Unread("", f"not JSON: byte {error.start} is not {error.encoding}")
        return
    if path.suffix.lower() in LINES:
        yield from _lines(text)
        return
    try:
        yield json.loads(text)
    except RecursionError:
        yield Unread("", DEEPEST)
    except ValueError as error:
        yield from _several(text, f"not JSON: {error}")


def _lines(text: str) -> Iterator[Any | Unread]:
    """One document a line. Only line feeds end a line: JSON text may hold the other separators."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except RecursionError:
                yield Unread(f"line {number}", DEEPEST)
            except ValueError as error:
                yield Unread(f"line {number}", f"not JSON: {error}")


def _several(text: str, why: str) -> Iterator[Any | Unread]:
    """Documents one after the other in one file, up to the first that is none. `why`: what is wrong with
    the file as one document."""
    decoder = json.JSONDecoder()
    place, found = 0, 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        try:
            document, place = decoder.raw_decode(text, place)
        except RecursionError:
            yield Unread("", DEEPEST)
            return
        except ValueError:
            where = f"line {text.count(chr(10), 0, place) + 1}" if found else ""
            yield Unread(where, f"{why}; what follows was not read" if found else why)
            return
        if not isinstance(document, (dict, list)):
            yield Unread("", why)
            return
        found += 1
        yield document
    if not found:
        yield Unread("", why)
