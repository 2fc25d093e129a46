"""Read and check a faults file, TOML or JSON; an error contains the row, the key and the allowed values."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.emulator.faults import answers, content, listings
from migrate.emulator.faults.rule import FaultContext, FaultKind, FaultRule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_FILE_BYTES = 16 << 20
METHODS = ("GET", "POST", "DELETE", "PATCH", "PUT")
WAITS = ("retry_after_ms", "retry_after", "retry_after_date")  # they exclude each other
REDIRECTS = (301, 302, 303, 307, 308)


async def _pass_on(ctx: FaultContext) -> None:
    """For faults of files, which do not apply to requests."""
    await ctx.pass_on()


KINDS: Mapping[str, FaultKind] = {
    "too-many": FaultKind(answers.too_many, WAITS),
    "error": FaultKind(answers.error, ("status", "done", *WAITS), default_status=500),
    "html": FaultKind(answers.html, ("status", "done"), default_status=502),
    "cut": FaultKind(answers.cut),
    "lost": FaultKind(answers.lost),
    "truncated": FaultKind(answers.truncated, ("keep", "length")),
    "slow": FaultKind(answers.slow, ("seconds",)),
    "ignores-after": FaultKind(listings.ignores_after, is_between_pages=True),
    "ignores-order": FaultKind(listings.ignores_order, ("comes",)),
    "ends-early": FaultKind(listings.ends_early),
    "no-has-more": FaultKind(listings.no_has_more),
    "counts-more": FaultKind(listings.counts_more, ("more",)),
    "refuses-include": FaultKind(content.refuses_include, ("value",)),
    "hides-content": FaultKind(content.hides_content),
    "ignores-include": FaultKind(content.ignores_include),
    "moving": FaultKind(listings.moving, ("change",), is_between_pages=True),
    "ingestion": FaultKind(_pass_on, ("outcome",), is_for_files=True),
    "pinned": FaultKind(content.pinned, ("version",)),
    "refuse-nulls": FaultKind(content.refuse_nulls),
    "refuse-unseen-forms": FaultKind(content.refuse_unseen_forms),
    "refuse-citations": FaultKind(content.refuse_citations),
    "drop-citations": FaultKind(content.drop_citations),
    "retired": FaultKind(answers.retired),
    "expired": FaultKind(answers.expired),
    "undeleted": FaultKind(answers.undeleted, ("answer",)),
    "redirect": FaultKind(answers.redirect, ("code", "to")),
    "silent": FaultKind(answers.silent, ("silence",)),
    "flood": FaultKind(answers.flood, ("bytes", "packing")),
    "drip": FaultKind(answers.drip, ("pause",)),
}

# ---------------------------------------------------------------------------------------- keys of a row


@dataclass(frozen=True)
class Key:
    """A key of a row: which values are valid, the same in words, and the value if the key is absent."""

    is_valid: Callable[[Any], bool]
    allowed: str
    default: Any = None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_method(value: Any) -> bool:
    return isinstance(value, str) and value in METHODS


def _one_or_more(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        all(map(is_valid, value)) and bool(value) if isinstance(value, list) else is_valid(value)
    )


def _choice(*values: str) -> Key:
    """One of these texts; the first is the default."""
    return Key(lambda value: isinstance(value, str) and value in values, ", ".join(values), values[0])


def _text(allowed: str, default: str) -> Key:
    return Key(lambda value: isinstance(value, str) and value != "", allowed, default)


def _number(unit: str, default: float | None = None) -> Key:
    return Key(_is_number, f"{unit}, from 0 on", default)


COUNT = "a whole number from 1 on"


def _count(default: int | None = None) -> Key:
    return Key(_is_count, COUNT, default)


_OCCURRENCES: Mapping[str, Key] = {
    "nth": Key(_one_or_more(_is_count), f"{COUNT}, or a list of them"),
    "from": _count(1),
    "share": Key(lambda v: _is_number(v) and 0 < v <= 1, "a number above 0, at most 1", 1.0),
    "times": _count(),
}
REQUEST_KEYS: Mapping[str, Key] = {
    "method": Key(_one_or_more(_is_method), f"{', '.join(METHODS)}, or a list of them"),
    "path": Key(
        lambda v: isinstance(v, str) and v[:1] in ("/", "*"),
        'text that begins with "/" or "*"; * stands for anything',
        "*",
    ),
    "page": _count(),
    **_OCCURRENCES,
}
FILE_KEYS: Mapping[str, Key] = {"file": _text("a file name; * stands for anything", "*"), **_OCCURRENCES}
SETTINGS: Mapping[str, Key] = {
    "status": Key(lambda v: _is_count(v) and 400 <= v <= 599, "a status from 400 to 599"),
    "done": Key(lambda v: isinstance(v, bool), "true or false", False),
    "retry_after_ms": _number("milliseconds"),
    "retry_after": _number("seconds"),
    "retry_after_date": Key(_is_number, "seconds from now, from 0 on; they are sent as a date"),
    "keep": Key(lambda v: _is_number(v) and v < 1, "a number from 0 on, below 1", 0.5),
    "length": _choice("whole", "kept"),
    "seconds": _number("seconds", 1.0),
    "change": _choice("insert", "delete-seen", "delete-cursor", "delete-ahead"),
    "code": Key(lambda v: v in REDIRECTS and not isinstance(v, bool), "301, 302, 303, 307 or 308", 307),
    "to": Key(lambda v: isinstance(v, str) and v.isprintable() and v.isascii(), "an address, or a path", ""),
    "silence": _number("seconds", 3600.0),
    "bytes": _count(4 << 30),
    "packing": _choice("none", "gzip"),
    "pause": _number("seconds", 1.0),
    "comes": _choice("newest-first", "oldest-first"),
    "more": _count(1),
    "value": _text("a value of include[], or * for any", "*"),
    "version": _text("the number of a version, as text", "1"),
    "outcome": _choice("failed", "stuck"),
    "answer": _choice("deleted", "kept", "empty"),
}

# --------------------------------------------------------------------------------------------- the file


class FaultsFileError(ValueError):
    """A faults file cannot be used. `what`: the file. `why`: the row, the key and the allowed values."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.what = f"the faults file {file} cannot be used"
        self.why = why


def read_faults(file: Path) -> list[FaultRule]:
    """The rows of a file, none of which has counted anything yet. Raises `FaultsFileError`."""
    table = _parse(file)
    if unknown := sorted(table.keys() - {"seed", "fault"}):
        raise FaultsFileError(file, f"unknown key {unknown[0]!r}; allowed: fault, seed")
    seed, rows = table.get("seed", 0), table.get("fault", [])
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise FaultsFileError(file, f"seed = {_shown(seed)}: allowed: a whole number")
    if not isinstance(rows, list) or not rows:
        raise FaultsFileError(file, "there is no fault in it; allowed: one [[fault]] or more")
    rules = []
    for number, row in enumerate(rows, 1):
        try:
            rules.append(_rule(number, row, seed))
        except _RowError as error:
            raise FaultsFileError(file, f"fault {number}: {error}") from None
    return rules


class _RowError(Exception):
    """What is wrong with one row."""


def _parse(file: Path) -> dict[str, Any]:
    is_json = file.suffix.lower() == ".json"
    try:
        # The file is read twice, by Options and by Emulator, which a pipe does not allow.
        if file.exists() and not file.is_file():
            raise FaultsFileError(file, "it is a folder, a pipe or a device, not a regular file")
        if file.exists() and file.stat().st_size > MAX_FILE_BYTES:
            raise FaultsFileError(file, f"it is larger than {MAX_FILE_BYTES >> 20} MB")
        data = file.read_bytes()
        if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in data[:4]:
            raise FaultsFileError(file, "it is UTF-16, not UTF-8; save it as UTF-8")
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        table = json.loads(text) if is_json else tomllib.loads(text)
    except OSError as error:
        raise FaultsFileError(file, error.strerror or str(error)) from None
    except RecursionError:
        raise FaultsFileError(file, "it is nested too deeply") from None
    except FaultsFileError:
        raise
    except ValueError as error:  # raised by both parsers and by decode()
        language = "JSON" if is_json else "TOML"
        raise FaultsFileError(file, f"it is not valid {language}: {error}") from None
    if not isinstance(table, dict):
        raise FaultsFileError(file, "it must be an object with the keys fault and seed")
    return table


def _rule(number: int, row: Any, seed: int) -> FaultRule:
    if not isinstance(row, dict):
        raise _RowError(f"{_shown(row)}: allowed: a table of keys")
    what = row.get("what")
    if not isinstance(what, str) or what not in KINDS:
        raise _RowError(f"what = {_shown(what)}: allowed: {', '.join(KINDS)}")
    kind = KINDS[what]
    keys = dict(FILE_KEYS if kind.is_for_files else REQUEST_KEYS)
    keys.update((name, SETTINGS[name]) for name in kind.settings)
    for name, value in row.items():
        if name == "what":
            continue
        if name not in keys:
            raise _RowError(f"unknown key {name!r}; allowed for {what}: {', '.join(sorted(keys))}")
        if not keys[name].is_valid(value):
            raise _RowError(f"{name} = {_shown(value)}: allowed: {keys[name].allowed}")
    if len(waits := [name for name in WAITS if name in row]) > 1:
        raise _RowError(f"{' and '.join(waits)} exclude each other; allowed: one of them")
    settings = {name: row.get(name, key.default) for name, key in keys.items()}
    if "status" in settings:
        settings["status"] = settings["status"] or kind.default_status
    settings["nth"] = frozenset(_as_list(settings["nth"]))
    settings["methods"] = frozenset(_as_list(settings.pop("method", None)))
    return FaultRule(number, what, kind, settings, seed)


def _as_list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, default=str)
