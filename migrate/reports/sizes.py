"""Numbers of bytes in words."""

from __future__ import annotations

from migrate.model.entity import JSON


def size_text(size: JSON) -> str:
    """A number of bytes in words: `812 bytes`, `1.5 MB`; '' for what is no number."""
    if not isinstance(size, (int, float)) or isinstance(size, bool) or size < 0:
        return ""
    number, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1_000:
            break
        number, unit = number / 1_000, larger
    return f"{number:,.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:.1f} {unit}"
