"""An assistant as a Markdown file: the configuration as YAML front matter, the instructions as the body.

The body is one blank line, the text, and a line feed; parsing removes exactly these, so the text stays exact.
Instructions with carriage returns or control characters are quoted in the front matter instead.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from migrate.codecs.config_directory.yaml_text import InvalidYaml, YamlDocument, format_yaml, parse_yaml
from migrate.model import JSON

FRONT_MATTER_FENCE = "---"
# Categories of characters that no body may contain, except line feeds and tabs.
UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs"})


def format_assistant_file(front: Mapping[str, JSON], instructions: str, comments: Mapping[str, str]) -> str:
    """The text of the file."""
    if instructions and not can_be_markdown_body(instructions):
        # Among the fields, the instructions come after the model.
        first = {k: v for k, v in front.items() if k in ("id", "name", "description", "model")}
        rest = {k: v for k, v in front.items() if k not in first}
        front, instructions = {**first, "instructions": instructions, **rest}, ""
    head = format_yaml(front, comments)
    body = f"\n{instructions}\n" if instructions else ""
    return f"{FRONT_MATTER_FENCE}\n{head}{FRONT_MATTER_FENCE}\n{body}"


def can_be_markdown_body(text: str) -> bool:
    """Whether the text is read back from a body exactly."""
    return all(c in "\n\t" or unicodedata.category(c) not in UNPRINTABLE_CATEGORIES for c in text)


def parse_assistant_file(text: str) -> YamlDocument:
    """The configuration with the instructions, and the line of each part. Raises `InvalidYaml`."""
    lines = text.split("\n")
    if lines[0].rstrip() != FRONT_MATTER_FENCE:
        raise InvalidYaml(
            1, f"an assistant's file begins with a line {FRONT_MATTER_FENCE} and its configuration"
        )
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == FRONT_MATTER_FENCE), 0)
    if not end:
        raise InvalidYaml(
            1, f"the second {FRONT_MATTER_FENCE} line, which ends the configuration, is missing"
        )
    document = parse_yaml("\n".join(lines[1:end]) + "\n", before=1)
    body = "\n".join(lines[end + 1 :]).removeprefix("\n").removesuffix("\n")
    if body and isinstance(document.value, dict):
        if document.value.get("instructions") is not None:
            line = document.line(("instructions",))
            raise InvalidYaml(line, "instructions are given twice: here and below the configuration")
        document.value = {**document.value, "instructions": body}
        document.lines[("instructions",)] = end + 2
    return document
