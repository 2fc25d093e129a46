"""What is wrong in a hand-written file: file, line, field, what, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from migrate.errors import BadUsage

MAX_PROBLEMS_SHOWN = 20
"""Mistakes that an error names; the others are counted."""

FieldPath = tuple["str | int", ...]
"""Where something stands in a file: keys and places."""


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake. `field` is '' where it is about the whole file."""

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.field}: {self.text}" if self.field else f"{where}: {self.text}"


def format_field_path(path: FieldPath) -> str:
    """A path as people write it: `tools[1].type`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where something known is close, else ''."""
    found = get_close_matches(word[:200], list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def raise_for_problems(problems: Iterable[Problem], folder: str) -> None:
    """Raises `BadUsage` that names the mistakes."""
    found = sorted(set(problems))
    if not found:
        return
    lines = [str(problem) for problem in found]
    if len(lines) == 1:
        raise BadUsage(lines[0], todo=f"fix the file; the keys are in {folder}/schema and the documentation")
    more = [f"and {len(lines) - MAX_PROBLEMS_SHOWN:,} more"] if len(lines) > MAX_PROBLEMS_SHOWN else []
    raise BadUsage(
        f"{len(lines):,} mistakes in {folder}",
        "\n    ".join(["", *lines[:MAX_PROBLEMS_SHOWN], *more]).lstrip(" "),
        "fix the files; the keys are in their schema folder and in the documentation",
    )
