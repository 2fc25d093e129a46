"""Read and check a faults file, TOML or JSON; an error says where it is and why."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.emulator.faults.actions import KINDS, METHODS, WAITS
from migrate.emulator.faults.rule import Row

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Json = dict[str, Any]
MAX_FILE_BYTES = 16 << 20


class FaultsFileError(ValueError):
    """`what` names the file, `why` the row, the key and what is allowed."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.what = f"the faults file {file} cannot be used"
        self.why = why


@dataclass(frozen=True)
class Key:
    """A key that a row may have: what it may be, in code and in words, and what it is when left out."""

    good: Callable[[Any], bool]
    allowed: str
    default: Any = None


def _number(value: Any, least: float = 0.0) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= least


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _method(value: Any) -> bool:
    return value in METHODS if isinstance(value, str) else False


def _one_or_more(good: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: all(map(good, value)) and bool(value) if isinstance(value, list) else good(value)


def _among(*words: str, default: str) -> Key:
    return Key(lambda value: value in words if isinstance(value, str) else False, ", ".join(words), default)


REDIRECTS = (301, 302, 303, 307, 308)
COUNT = "a whole number from 1 on"
TURNS: Mapping[str, Key] = {
    "nth": Key(_one_or_more(_count), f"{COUNT}, or a list of them"),
    "from": Key(_count, COUNT, 1),
    "share": Key(lambda v: _number(v) and 0 < v <= 1, "a number above 0, at most 1", 1.0),
    "times": Key(_count, COUNT),
}
REQUESTS: Mapping[str, Key] = {
    "method": Key(_one_or_more(_method), f"{', '.join(METHODS)}, or a list of them"),
    "path": Key(
        lambda v: isinstance(v, str) and v[:1] in ("/", "*"),
        'text that begins with "/" or "*"; * stands for anything',
        "*",
    ),
    "page": Key(_count, COUNT),
    **TURNS,
}
FILES: Mapping[str, Key] = {
    "file": Key(lambda v: isinstance(v, str) and v != "", "a file name; * stands for anything", "*"),
    **TURNS,
}
SETTINGS: Mapping[str, Key] = {
    "status": Key(lambda v: _count(v) and 400 <= v <= 599, "a status from 400 to 599"),
    "done": Key(lambda v: isinstance(v, bool), "true or false", False),
    "retry_after_ms": Key(_number, "milliseconds, from 0 on"),
    "retry_after": Key(_number, "seconds, from 0 on"),
    "retry_after_date": Key(_number, "seconds from now, from 0 on; they are sent as a date"),
    "keep": Key(lambda v: _number(v) and v < 1, "a number from 0 on, below 1", 0.5),
    "length": _among("whole", "kept", default="whole"),
    "seconds": Key(_number, "seconds, from 0 on", 1.0),
    "change": _among("insert", "delete-seen", "delete-cursor", "delete-ahead", default="insert"),
    "code": Key(lambda v: v in REDIRECTS and not isinstance(v, bool), "301, 302, 303, 307 or 308", 307),
    "to": Key(lambda v: isinstance(v, str) and v.isprintable() and v.isascii(), "an address, or a path", ""),
    "silence": Key(_number, "seconds, from 0 on", 3600.0),
    "bytes": Key(_count, COUNT, 4 << 30),
    "packing": _among("none", "gzip", default="none"),
    "pause": Key(_number, "seconds, from 0 on", 1.0),
    "comes": _among("newest-first", "oldest-first", default="newest-first"),
    "more": Key(_count, COUNT, 1),
    "value": Key(lambda v: isinstance(v, str) and v != "", "a value of include[], or * for any", "*"),
    "version": Key(lambda v: isinstance(v, str) and v != "", "the number of a version, as text", "1"),
    "outcome": _among("failed", "stuck", default="failed"),
    "answer": _among("deleted", "kept", "empty", default="deleted"),
}


def read(file: Path) -> list[Row]:
    """Fresh rows, which have counted nothing yet. Raises `FaultsFileError`."""
    table = _parsed(file)
    if unknown := sorted(table.keys() - {"seed", "fault"}):
        raise FaultsFileError(file, f"unknown key {unknown[0]!r}; allowed: fault, seed")
    seed, rows = table.get("seed", 0), table.get("fault", [])
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise FaultsFileError(file, f"seed = {_shown(seed)}: allowed: a whole number")
    if not isinstance(rows, list) or not rows:
        raise FaultsFileError(file, "there is no fault in it; allowed: one [[fault]] or more")
    made = []
    for number, row in enumerate(rows, 1):
        try:
            made.append(_row(number, row, seed))
        except _Wrong as wrong:
            raise FaultsFileError(file, f"fault {number}: {wrong}") from None
    return made


class _Wrong(Exception):
    """What is wrong with one row."""


def _parsed(file: Path) -> Json:
    try:
        if file.exists() and not file.is_file():  # it is read more than once, which a pipe does not allow
            raise FaultsFileError(file, "it is a folder, a pipe or a device, and no plain file")
        if file.exists() and file.stat().st_size > MAX_FILE_BYTES:
            raise FaultsFileError(file, f"it is larger than {MAX_FILE_BYTES >> 20} MB")
        data = file.read_bytes()
        if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in data[:4]:
            raise FaultsFileError(file, "it is UTF-16, not UTF-8; save it as UTF-8")
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        table = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise FaultsFileError(file, error.strerror or str(error)) from None
    except RecursionError:
        raise FaultsFileError(file, "it is nested too deeply") from None
    except FaultsFileError:
        raise
    except ValueError as error:  # of both parsers, and of text that is none
        language = "JSON" if file.suffix.lower() == ".json" else "TOML"
        raise FaultsFileError(file, f"it is not valid {language}: {error}") from None
    if not isinstance(table, dict):
        raise FaultsFileError(file, "it must be an object with the keys fault and seed")
    return table


def _row(number: int, row: Any, seed: int) -> Row:
    if not isinstance(row, dict):
        raise _Wrong(f"{_shown(row)}: allowed: a table of keys")
    what = row.get("what")
    if not isinstance(what, str) or what not in KINDS:
        raise _Wrong(f"what = {_shown(what)}: allowed: {', '.join(KINDS)}")
    kind = KINDS[what]
    known = {**(FILES if kind.of_files else REQUESTS), **{name: SETTINGS[name] for name in kind.settings}}
    for name, value in row.items():
        if name == "what":
            continue
        if name not in known:
            raise _Wrong(f"unknown key {name!r}; allowed for {what}: {', '.join(sorted(known))}")
        if not known[name].good(value):
            raise _Wrong(f"{name} = {_shown(value)}: allowed: {known[name].allowed}")
    if len(waits := [name for name in WAITS if name in row]) > 1:
        raise _Wrong(f"{' and '.join(waits)} exclude each other; allowed: one of them")
    given = {name: row.get(name, key.default) for name, key in known.items()}
    if "status" in given:
        given["status"] = given["status"] or kind.status
    given["nth"] = frozenset(_listed(given["nth"]))
    given["methods"] = frozenset(_listed(given.pop("method", None)))
    given["between_pages"] = kind.between_pages
    return Row(number, what, given, seed)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, default=str)
