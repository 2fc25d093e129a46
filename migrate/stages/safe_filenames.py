"""Make names of a service safe as names of files in one folder, on any system.

Names in an archive are untrusted. A name never becomes a path: only the part after the last separator of any
system is used, and characters with a meaning for a file system are replaced.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

# Bytes of a name; file systems take 255, and a temporary name needs some more than its own.
MAX_NAME_BYTES = 200
# Bytes that an ending may have and still be kept when a name is cut.
MAX_ENDING_BYTES = 24
SPECIAL_CHARACTERS = re.compile(r'[<>:"|?*]')
LEADING_AND_TRAILING_DOTS = re.compile(r"^[\s.]+|[\s.]+$")
# What Windows takes for a device, with any ending.
WINDOWS_DEVICE_NAME = re.compile(
    r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|$)", re.IGNORECASE
)


def safe_name(name: str, otherwise: str = "", more: str = "") -> str:
    """The name of a file in a folder. `otherwise` is used where nothing of the name remains; `more` goes
    before the ending."""
    base = _clean_name(name) or _clean_name(otherwise) or "file"
    stem, ending = _split_ending(base)
    whole = _cut(stem, MAX_NAME_BYTES - len(f"_{more}{ending}".encode())) + more + ending
    return f"_{whole}" if WINDOWS_DEVICE_NAME.match(whole) else whole


def safe_names(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(id, name) rows in, id -> name out. No two are equal, on a system that ignores case neither: where
    names are, all of them carry the end of their id."""
    rows = list(files)
    plain = {id_: safe_name(name, id_) for id_, name in rows}
    uses: dict[str, int] = {}
    for name in plain.values():
        uses[_folded(name)] = uses.get(_folded(name), 0) + 1
    taken = {folded for folded, count in uses.items() if count == 1}
    chosen: dict[str, str] = {}
    for id_, name in rows:
        if uses[_folded(plain[id_])] == 1:
            chosen[id_] = plain[id_]
            continue
        free = (one for one in _apart_by_id(name, id_) if _folded(one) not in taken)
        chosen[id_] = next(free)
        taken.add(_folded(chosen[id_]))
    return chosen


def _apart_by_id(name: str, id_: str) -> Iterator[str]:
    whole = _cut(_clean_name(id_), MAX_NAME_BYTES // 2) or "file"
    yield safe_name(name, "file", f"-{whole[-8:]}")
    yield safe_name(name, "file", f"-{whole}")
    number = 2
    while True:
        yield safe_name(name, "file", f"-{whole}-{number}")
        number += 1


def _clean_name(name: str) -> str:
    """Without folders, without what a system obeys, without dots and blanks at its ends."""
    base = re.split(r"[/\\]", name)[-1]
    shown = "".join("_" if unicodedata.category(c) in INVISIBLE_CATEGORIES else c for c in base)
    return LEADING_AND_TRAILING_DOTS.sub("", SPECIAL_CHARACTERS.sub("_", shown))


# Categories of characters that show nothing, turn a line around, or have no form in UTF-8.
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _split_ending(name: str) -> tuple[str, str]:
    """Stem and ending. A long ending is none."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > MAX_ENDING_BYTES or " " in ending:
        return name, ""
    return stem, dot + ending


def _cut(text: str, most: int) -> str:
    """At most so many bytes, and no half characters."""
    return text.encode()[:most].decode(errors="ignore").rstrip(" .")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
