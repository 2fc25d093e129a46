"""Any text in, the same text out with every character that could not be seen written as an escape."""

from __future__ import annotations


def clean(text: str) -> str:
    """Control characters, escapes, marks of direction and lone surrogates, which names may hold, are shown
    and not obeyed; line breaks and tabs stay."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() or c == " ") else c.encode("unicode_escape").decode()
        for c in text
    )


def line(text: str) -> str:
    """The same on one line: line breaks and tabs are written as escapes too."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")
