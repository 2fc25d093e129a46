"""YAML parsed to values with the line of each part, and values formatted as YAML.

Parsing: scalars follow the core schema of YAML 1.2, so `no` and `2024-01-01` are texts. Keys are texts. A
repeated key, a tag, a loop of aliases and more than `MAX_ALIAS_USES` aliases are errors.

Formatting: equal values give equal text, which is read back exactly. Block style, no folded lines. A text of
several lines is a literal block where that is exact; a text that a parser could take for something else is
quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from migrate.codecs.config_directory.validate import FieldPath
from migrate.model import JSON
from migrate.model.input_limits import MAX_JSON_DEPTH

# Uses of aliases in one file, with everything below an alias counted.
MAX_ALIAS_USES = 100
YAML_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
YAML_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
YAML_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
YAML_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
YAML_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
PLAIN_TAGS = frozenset({f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")})


class InvalidYaml(Exception):
    """The text is no valid YAML of this program: line and reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


@dataclass
class YamlDocument:
    """A value, and the line of each part of it."""

    value: JSON = None
    lines: dict[FieldPath, int] = field(default_factory=dict)

    def line(self, path: FieldPath) -> int:
        """The line of a part, or of the nearest existing part that contains it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def parse_yaml(text: str, before: int = 0) -> YamlDocument:
    """Parse a document. `before`: number of lines of the file above the text. Raises `InvalidYaml`."""
    import yaml  # a snapshot or a plan without a config directory does not load it

    try:
        node = _loader()(text).get_single_node()
        document = YamlDocument(lines={(): before + 1})
        if node is not None:
            document.value = _Converter(document.lines, before).value(node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + before + 1
        raise InvalidYaml(line, f"character #x{error.character:x} is not allowed here") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(filter(None, (error.context, error.problem)))
        raise InvalidYaml((mark.line if mark else 0) + before + 1, f"no YAML: {reason}") from None
    except RecursionError:
        raise InvalidYaml(before + 1, f"it is nested too deeply: {MAX_JSON_DEPTH.describe()}") from None
    return document


@cache
def _loader() -> Any:
    """PyYAML's parser without its rules for scalars."""
    import yaml

    class Loader(
        yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer,
        yaml.resolver.BaseResolver,
    ):  # fmt: skip
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)
            yaml.composer.Composer.__init__(self)
            yaml.resolver.BaseResolver.__init__(self)
            self.depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.depth += 1
            if (
                self.depth > MAX_JSON_DEPTH.maximum
            ):  # this method calls itself: stop before Python's own limit
                raise RecursionError
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return Loader


class _Converter:
    """Turns the nodes of PyYAML into values, and notes the line of each."""

    def __init__(self, lines: dict[FieldPath, int], before: int) -> None:
        self.lines, self.before = lines, before
        self.seen: set[int] = set()
        self.open: set[int] = set()
        self.alias_uses = 0

    def value(self, node: Any, path: FieldPath) -> JSON:
        line = node.start_mark.line + self.before + 1
        self.lines.setdefault(path, line)
        if id(node) in self.open:
            raise InvalidYaml(line, "an alias that contains itself")
        if id(node) in self.seen:
            self.alias_uses += 1
            if self.alias_uses > MAX_ALIAS_USES:
                raise InvalidYaml(line, f"more than {MAX_ALIAS_USES} uses of aliases")
        self.seen.add(id(node))
        if node.tag not in PLAIN_TAGS:
            raise InvalidYaml(line, f"the tag {node.tag} is not used here")
        if isinstance(node.value, str):
            return _scalar(node.value, line) if node.style is None else node.value
        self.open.add(id(node))
        is_mapping = str(node.id) == "mapping"
        value: JSON = self._mapping(node, path) if is_mapping else self._list(node, path)
        self.open.discard(id(node))
        return value

    def _list(self, node: Any, path: FieldPath) -> list[JSON]:
        return [self.value(member, (*path, index)) for index, member in enumerate(node.value)]

    def _mapping(self, node: Any, path: FieldPath) -> Mapping[str, JSON]:
        mapping: dict[str, JSON] = {}
        for key, value in node.value:
            line = key.start_mark.line + self.before + 1
            if not isinstance(key.value, str):
                raise InvalidYaml(line, "a key must be a text")
            key_path: FieldPath = (*path, key.value)
            if key.value in mapping:
                raise InvalidYaml(line, f"the key {key.value!r} is on line {self.lines[key_path]} already")
            self.lines[key_path] = line
            mapping[key.value] = self.value(value, key_path)
        return mapping


def _scalar(text: str, line: int) -> JSON:
    if text in YAML_NULLS:
        return None
    if text in YAML_BOOLEANS:
        return YAML_BOOLEANS[text]
    try:
        if YAML_INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if YAML_FLOAT.fullmatch(text):
            return float(text)
    except ValueError:
        raise InvalidYaml(line, "a number of so many digits cannot be read; write it in quotes") from None
    if YAML_SPECIAL_FLOAT.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text


# Words that are no text in YAML 1.2, or for a parser of an older version.
YAML_RESERVED_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
NOT_PLAIN_SCALAR = re.compile(r":(?=\s|$)|\s#|\s$")
# A text that begins with a digit and that no parser takes for a number or a time, such as a hash.
DIGIT_WORD = re.compile(r"(?!0[xob])[0-9](?=[0-9a-z]*[acdfghijklmnqrsuvwy])[0-9a-z]*")
# Longer keys are written with `?`: parsers look for the `:` of a simple key in 1,024 characters only.
MAX_SIMPLE_KEY_CHARS = 900
YAML_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def format_yaml(value: Mapping[str, JSON], comments: Mapping[str, str] | None = None) -> str:
    """A mapping as a document, with a comment above some of its keys."""
    text = ""
    for key, inner in value.items():
        comment = (comments or {}).get(key)
        text += f"# {quote_yaml(comment)[1:-1]}\n" if comment else ""
        text += "".join(f"{line}\n" for line in _mapping({key: inner}, ""))
    return text


def _mapping(value: Mapping[str, JSON], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        name = format_scalar(key)
        if len(name) > MAX_SIMPLE_KEY_CHARS:
            yield f"{indent}? {name}"
            name = ""
        yield from _entry(f"{indent}{name}:", inner, indent + "  ")


def _list(value: list[JSON], indent: str) -> Iterator[str]:
    for inner in value:
        if isinstance(inner, Mapping) and inner:
            lines = _mapping(inner, indent + "  ")
            yield f"{indent}- {next(lines)[len(indent) + 2 :]}"
            yield from lines
        else:
            yield from _entry(f"{indent}-", inner, indent + "  ")


def _entry(head: str, value: JSON, indent: str) -> Iterator[str]:
    """A key or a dash, and the value after it."""
    if isinstance(value, Mapping) and value:
        yield head
        yield from _mapping(value, indent)
    elif isinstance(value, list) and value:
        yield head
        yield from _list(value, indent)
    elif isinstance(value, str) and _is_literal(value):
        lines = value.removesuffix("\n").split("\n")
        yield f"{head} {'|' if value.endswith(chr(10)) else '|-'}"
        yield from (f"{indent}{line}" if line else "" for line in lines)
    else:
        yield f"{head} {format_scalar(value)}"


def format_scalar(value: JSON) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return value if _is_plain(value) else quote_yaml(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
    if isinstance(value, Mapping):
        return "{}"
    return "[]" if isinstance(value, list) else repr(value)


def quote_yaml(text: str) -> str:
    """The text in double quotes, with escapes for characters that are not printable."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in YAML_ESCAPES:
        return YAML_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_plain(text: str) -> bool:
    return (
        (text[:1].isalpha() or DIGIT_WORD.fullmatch(text) is not None)
        and text.isprintable()
        and text.lower() not in YAML_RESERVED_WORDS
        and not NOT_PLAIN_SCALAR.search(text)
    )


def _is_literal(text: str) -> bool:
    """Whether a literal block is read back as exactly this text."""
    body = text.removesuffix("\n")
    return (
        "\n" in body
        and not body.endswith("\n")
        and not body[0].isspace()
        and all(line.isprintable() for line in body.replace("\t", "").split("\n"))
    )
