"""Archived texts for a page: nothing in them is markup, controls anything, or is hidden.

A terminal needs a stricter rule (`migrate.reports.text_table.escape_control`). Here joiners of emoji and of
scripts, wide spaces and marks of direction stay, since texts need them; what reorders or hides text does not.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

LINE_BREAKS = re.compile("\r\n?|[\x85\u2028\u2029]")
# A flag of a region is the only use of tags; everywhere else they are an invisible text. The other
# characters: controls, embeddings and overrides of direction, halves of pairs, and noncharacters.
HIDDEN_CHARACTERS = re.compile(
    "(\U0001f3f4[\U000e0020-\U000e007f]+)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
# All of these, for a quick test that nearly every text passes.
_ANY_HIDDEN = re.compile(HIDDEN_CHARACTERS.pattern.partition("|")[2])


def visible_text(text: str) -> str:
    """A text in which every character that hides or reorders others is shown as an escape. Line breaks are
    line feeds."""
    text = LINE_BREAKS.sub("\n", text)
    if not _ANY_HIDDEN.search(text):
        return text
    return HIDDEN_CHARACTERS.sub(
        lambda match: match[1] or match[0].encode("unicode_escape").decode("ascii"), text
    )


def as_html(text: str) -> Markup:
    """A text of several lines as HTML that shows it."""
    return escape(visible_text(text))


def as_line(text: str, max_chars: int = 0) -> Markup:
    """A text on one line as HTML, cut where it is longer than `max_chars` (0: never)."""
    line = " ".join(visible_text(text[: max_chars * 4] if max_chars else text).split())
    return escape(f"{line[: max_chars - 1]}…" if 0 < max_chars < len(line) else line)
