"""Reads a page of recipes: its code blocks, and the scripts inside its YAML."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs/recipes.md", *sorted((ROOT / "docs/recipes").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"assistants-migrate ((?:\\\n|[^\n|&;>`])*)")
# Keys of a step, or of its inputs, that contain a script.
SCRIPTS = ("run", "bash", "inlineScript")
# Keys that make a mapping a step: it has one of these, with a text.
STEP = {"uses", "task", "checkout", "run", "bash"}


@dataclass(frozen=True)
class Block:
    """One block of code of a page, and its heading."""

    page: str
    heading: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for hit in BLOCK.finditer(text):
        outside = BLOCK.sub("", text[: hit.start()])
        headings = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
        found.append(Block(page.name, headings[-1], hit[1], hit[2]))
    return found


def under(page: str, heading: str, language: str = "bash") -> list[str]:
    """The texts of the blocks of one language under a heading."""
    found = [
        block.text
        for block in blocks(ROOT / "docs/recipes" / page)
        if (block.heading, block.language) == (heading, language)
    ]
    assert found, f"{page} has no {language} block under {heading!r}"
    return found


def workflow(page: str) -> Any:
    """The one YAML file of a page."""
    (text,) = [b.text for b in blocks(ROOT / "docs/recipes" / page) if b.language == "yaml"]
    return yaml.safe_load(text)


def steps(value: Any) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or a pipeline."""
    if isinstance(value, dict):
        if any(isinstance(value.get(key), str) for key in STEP):
            yield value
            return
        for inner in value.values():
            yield from steps(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from steps(inner)


def script(step: dict[str, Any]) -> str:
    """The script of a step, or None."""
    inner = {**step, **step.get("inputs", {})}
    return next((str(inner[key]) for key in SCRIPTS if key in inner), "")


def step(page: str, name: str) -> str:
    """The script of the step of that name."""
    found = {script(s) for s in steps(workflow(page)) if name in (s.get("name"), s.get("displayName"))}
    assert len(found) == 1, f"{page} has no step {name!r}, or several"
    return found.pop()


def scripts(page: Path) -> list[str]:
    """Every script of a page: shell blocks, and those inside its YAML."""
    found = [block.text for block in blocks(page) if block.language in ("bash", "sh")]
    for block in blocks(page):
        if block.language == "yaml":
            found += [text for one in steps(yaml.safe_load(block.text)) if (text := script(one))]
    return found


def calls(text: str) -> Iterator[list[str]]:
    """Every call of the program in a script, as its arguments."""
    for call in CALL.findall(text):
        words = re.sub(r"\s\d$", "", call.replace("\\\n", " "))
        yield shlex.split(words.rstrip(" )}"))
