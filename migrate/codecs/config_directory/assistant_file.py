"""One Markdown file <-> an assistant: YAML front matter for the configuration, instructions as the body.

The body is one blank line, the text, and a newline; reading takes exactly these away, so the text is exact.
Instructions that cannot stand so (carriage returns, control characters) stand in the front matter, quoted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from migrate.codecs.config_directory.yaml_text import InvalidYaml, YamlDocument, format_yaml, parse_yaml
from migrate.model import JSON

FRONT_MATTER_FENCE = "---"
# Categories of characters that no body holds, line ends and tabs apart.
UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs"})


def format_assistant_file(front: Mapping[str, JSON], instructions: str, comments: Mapping[str, str]) -> str:
    """The file."""
    if instructions and not can_be_markdown_body(instructions):
        front, instructions = _with_instructions(front, instructions), ""
    head = format_yaml(front, comments)
    body = f"\n{instructions}\n" if instructions else ""
    return f"{FRONT_MATTER_FENCE}\n{head}{FRONT_MATTER_FENCE}\n{body}"


def can_be_markdown_body(text: str) -> bool:
    """Whether a text can be read back from a body exactly."""
    return all(c in "\n\t" or unicodedata.category(c) not in UNPRINTABLE_CATEGORIES for c in text)


def _with_instructions(front: Mapping[str, JSON], text: str) -> dict[str, JSON]:
    """The text takes its place among the fields: after the model."""
    before = {k: v for k, v in front.items() if k in ("id", "name", "description", "model")}
    return {**before, "instructions": text, **{k: v for k, v in front.items() if k not in before}}


def parse_assistant_file(text: str) -> YamlDocument:
    """The configuration, the instructions among it, and where each part stands. Raises `InvalidYaml`."""
    lines = text.split("\n")
    if lines[0].rstrip() != FRONT_MATTER_FENCE:
        raise InvalidYaml(
            1, f"an assistant's file begins with a line {FRONT_MATTER_FENCE} and its configuration"
        )
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == FRONT_MATTER_FENCE), 0)
    if not end:
        raise InvalidYaml(1, f"the configuration does not end: a second line {FRONT_MATTER_FENCE} is missing")
    found = parse_yaml("\n".join(lines[1:end]) + "\n", before=1)
    body = "\n".join(lines[end + 1 :]).removeprefix("\n").removesuffix("\n")
    if body and isinstance(found.value, dict):
        if found.value.get("instructions") is not None:
            line = found.line(("instructions",))
            raise InvalidYaml(line, "instructions: stand here and below the configuration as well")
        found.value = _with_body(found.value, body)
        found.lines[("instructions",)] = end + 2
    return found


def _with_body(front: dict[str, Any], body: str) -> dict[str, Any]:
    return {**front, "instructions": body}
