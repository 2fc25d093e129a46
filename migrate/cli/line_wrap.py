"""Text in, the same text out, with lines that are too long for a terminal broken between words.

Only for a terminal. In a pipe or a file a line stays one line, so that `grep` finds whole ones.
"""

from __future__ import annotations

import os
import re
from typing import Any

from migrate.reports.text_table import display_width

# What the further rows of a line begin with, after the blanks that the line itself begins with.
HANGING = "  "
# Columns below which nothing is broken: hardly a word has room.
NARROWEST = 20
WORDS = re.compile(r"\s*\S+")


def fitted(text: str, stream: Any) -> str:
    """`text` for `stream`, one of the standard streams: broken between words where that is a terminal."""
    width = width_of(stream)
    return "\n".join(_broken(line, width) for line in text.split("\n")) if width >= NARROWEST else text


def width_of(stream: Any) -> int:
    """Columns of the terminal behind a stream; 0 where there is none, or where it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (AttributeError, OSError, ValueError):
        return 0


def _broken(line: str, width: int) -> str:
    """A line in rows of at most `width` columns; a word that is longer than that, an address for one, stays
    whole."""
    if display_width(line) <= width:
        return line
    begin = line[: len(line) - len(line.lstrip())]
    rows = [begin]
    for word in WORDS.findall(line[len(begin) :]):
        if display_width(rows[-1] + word) <= width or not rows[-1].strip():
            rows[-1] += word if rows[-1].strip() else word.lstrip()
        else:
            rows.append(begin + HANGING + word.lstrip())
    return "\n".join(rows)
