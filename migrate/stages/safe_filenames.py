"""Turn names from a service into safe names of files in one folder, on any operating system.

Names in an archive are untrusted. A name never becomes a path: only the part after the last path separator is
used, and characters with a meaning for a file system are replaced.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count

# File systems accept 255 bytes, and a temporary name needs some more than the final one.
MAX_NAME_BYTES = 200
# The longest extension, in bytes, that is kept when a name is shortened.
MAX_EXTENSION_BYTES = 24
SPECIAL_CHARACTERS = re.compile(r'[<>:"|?*]')
LEADING_AND_TRAILING_DOTS = re.compile(r"^[\s.]+|[\s.]+$")
# Names that Windows takes for a device, with any extension.
WINDOWS_DEVICE_NAME = re.compile(
    r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|$)", re.IGNORECASE
)


def safe_name(name: str, fallback: str = "", suffix: str = "") -> str:
    """The name of a file in a folder. `fallback` is used where nothing of the name remains; `suffix` is added
    before the extension."""
    base = _clean_name(name) or _clean_name(fallback) or "file"
    stem, extension = _split_extension(base)
    stem = _shorten(stem, MAX_NAME_BYTES - len(f"_{suffix}{extension}".encode()))
    safe = stem + suffix + extension
    return f"_{safe}" if WINDOWS_DEVICE_NAME.match(safe) else safe


def safe_names(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(id, name) rows -> id -> safe name. No two are equal, also where case is ignored: files with equal
    names all get the end of their id in the name."""
    rows = list(files)
    plain = {id_: safe_name(name, id_) for id_, name in rows}
    uses = Counter(map(_folded, plain.values()))
    taken = {folded for folded, count in uses.items() if count == 1}
    chosen: dict[str, str] = {}
    for id_, name in rows:
        if uses[_folded(plain[id_])] == 1:
            chosen[id_] = plain[id_]
            continue
        candidates = _names_with_id(name, id_)
        chosen[id_] = next(candidate for candidate in candidates if _folded(candidate) not in taken)
        taken.add(_folded(chosen[id_]))
    return chosen


def _names_with_id(name: str, id_: str) -> Iterator[str]:
    safe_id = _shorten(_clean_name(id_), MAX_NAME_BYTES // 2) or "file"
    yield safe_name(name, "file", f"-{safe_id[-8:]}")
    yield safe_name(name, "file", f"-{safe_id}")
    for number in count(2):
        yield safe_name(name, "file", f"-{safe_id}-{number}")


def _clean_name(name: str) -> str:
    """A name without folders, special characters, and dots and blanks at its ends."""
    base = re.split(r"[/\\]", name)[-1]
    visible = "".join("_" if unicodedata.category(c) in INVISIBLE_CATEGORIES else c for c in base)
    return LEADING_AND_TRAILING_DOTS.sub("", SPECIAL_CHARACTERS.sub("_", visible))


# Categories of characters that are invisible, reverse the direction of text, or have no form in UTF-8.
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _split_extension(name: str) -> tuple[str, str]:
    """Stem and extension with its dot. A long one, or one with blanks, is part of the stem."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > MAX_EXTENSION_BYTES or " " in extension:
        return name, ""
    return stem, dot + extension


def _shorten(text: str, max_bytes: int) -> str:
    """At most so many bytes, without a partial character at the end."""
    return text.encode()[:max_bytes].decode(errors="ignore").rstrip(" .")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
