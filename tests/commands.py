"""Reads the code blocks of a documentation page: the commands, and the output that each should print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name != "cli.md"),
]
SHELL = ("bash", "sh", "shell", "console")
# The beginning of a line of an indented block that is a command.
FIRST_WORDS = re.compile(r"(\$ )?(assistants-migrate|make|pip|cp|echo|mkdir|export|kubectl|sqlite3?|"
                         r"sqlite-utils|datasette|git|curl|uv|python3?|\.?\S*/python|\./\S+)\b")  # fmt: skip
# A remark for readers after a command.
REMARK = re.compile(r"\s{4,}[^\s\\].*$|\s{2,}\(.*\)$")


@dataclass(frozen=True)
class Command:
    """One command as it is typed, and the lines that the page shows below it."""

    text: str
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """The commands of one block. `language` is '' where they are indented."""

    page: str
    first: str
    language: str
    commands: tuple[Command, ...]


def blocks(page: Path) -> list[Block]:
    """Every block of a page with commands, in order."""
    name = page.relative_to(ROOT).as_posix()
    found = []
    for language, lines in _texts(page.read_text(encoding="utf-8")):
        commands = tuple(_fenced(lines) if language else _indented(lines))
        if commands:
            found.append(Block(name, commands[0].text.splitlines()[0], language, commands))
    return found


def _texts(text: str) -> Iterator[tuple[str, list[str]]]:
    """Language and lines of each block of code: fenced ones of a shell, and indented ones."""
    held: list[str] = []
    language: str | None = None
    for line in [*text.splitlines(), ""]:
        if line.startswith("```"):
            if language is not None:
                if language in SHELL:
                    yield language, held
                language, held = None, []
            else:
                language = line[3:].strip() or "text"
        elif language is not None or line.startswith("    "):
            held.append(line if language is not None else line[4:])
        elif held:
            yield "", held
            held = []


def _fenced(lines: list[str]) -> Iterator[Command]:
    yield Command("\n".join(lines))


def _indented(lines: list[str]) -> Iterator[Command]:
    """With `$` before the commands everything else is output; without it every line is a command."""
    asked = any(line.startswith("$ ") for line in lines)
    text, shown = "", []
    for line in lines:
        if text.endswith("\\"):
            text += f"\n{line}"
        elif line.startswith("$ ") or (not asked and FIRST_WORDS.match(line)):
            if text:
                yield Command(text, tuple(shown))
            text, shown = REMARK.sub("", line.removeprefix("$ ")), []
        elif text:
            shown.append(line)
    if text:
        yield Command(text, tuple(shown))
