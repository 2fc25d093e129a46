"""One Markdown file <-> an assistant: YAML front matter for the configuration, instructions as the body.

The body is one blank line, the text, and a newline; reading takes exactly these away, so the text is exact.
Instructions that cannot stand so (carriage returns, control characters) stand in the front matter, quoted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from migrate.codecs.config_directory.yaml_reader import Document, NotYaml, read
from migrate.codecs.config_directory.yaml_writer import write
from migrate.model import JSON

FENCE = "---"
NOT_SHOWN = frozenset({"Cc", "Cs"})
"""Categories of characters that no body holds, line ends and tabs apart."""


def written(front: Mapping[str, JSON], instructions: str, comments: Mapping[str, str]) -> str:
    """The file."""
    if instructions and not stands_as_body(instructions):
        front, instructions = _with_instructions(front, instructions), ""
    head = write(front, comments)
    body = f"\n{instructions}\n" if instructions else ""
    return f"{FENCE}\n{head}{FENCE}\n{body}"


def stands_as_body(text: str) -> bool:
    """Whether a text can be read back from a body exactly."""
    return all(c in "\n\t" or unicodedata.category(c) not in NOT_SHOWN for c in text)


def _with_instructions(front: Mapping[str, JSON], text: str) -> dict[str, JSON]:
    """The text takes its place among the fields: after the model."""
    before = {k: v for k, v in front.items() if k in ("id", "name", "description", "model")}
    return {**before, "instructions": text, **{k: v for k, v in front.items() if k not in before}}


def parsed(text: str) -> Document:
    """The configuration, the instructions among it, and where each part stands. Raises `NotYaml`."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        raise NotYaml(1, f"an assistant's file begins with a line {FENCE} and its configuration")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), 0)
    if not end:
        raise NotYaml(1, f"the configuration does not end: a second line {FENCE} is missing")
    found = read("\n".join(lines[1:end]) + "\n", before=1)
    body = "\n".join(lines[end + 1 :]).removeprefix("\n").removesuffix("\n")
    if body and isinstance(found.value, dict):
        if found.value.get("instructions") is not None:
            line = found.line(("instructions",))
            raise NotYaml(line, "instructions: stand here and below the configuration as well")
        found.value = _placed(found.value, body)
        found.lines[("instructions",)] = end + 2
    return found


def _placed(front: dict[str, Any], body: str) -> dict[str, Any]:
    return {**front, "instructions": body}
