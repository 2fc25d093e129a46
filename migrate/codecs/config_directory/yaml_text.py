"""YAML text to values with the line of every part, and values to YAML text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from migrate.codecs.config_directory.validate import FieldPath
from migrate.model import JSON
from migrate.model.input_limits import MAX_JSON_DEPTH

# Uses of an anchor in one file, everything below it counted.
MAX_ALIAS_USES = 100
YAML_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
YAML_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
YAML_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
YAML_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
YAML_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
PLAIN_TAGS = frozenset({f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")})


class InvalidYaml(Exception):
    """The text cannot be understood: line and reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


@dataclass
class YamlDocument:
    """A value, and the line on which each part of it stands."""

    value: JSON = None
    lines: dict[FieldPath, int] = field(default_factory=dict)

    def line(self, path: FieldPath) -> int:
        """The line of a part, or of the nearest part around it that is there."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def parse_yaml(text: str, before: int = 0) -> YamlDocument:
    """Parse. `before`: lines of the file that come before the text. Raises `InvalidYaml`."""
    import yaml

    try:
        node = _loader()(text).get_single_node()
        found = YamlDocument(lines={(): before + 1})
        if node is not None:
            found.value = _Converter(found.lines, before).value(node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + before + 1
        raise InvalidYaml(line, f"character #x{error.character:x} cannot stand here") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(filter(None, (error.context, error.problem)))
        raise InvalidYaml((mark.line if mark else 0) + before + 1, f"no YAML: {said}") from None
    except RecursionError:
        raise InvalidYaml(before + 1, f"it is nested too deeply: {MAX_JSON_DEPTH.describe()}") from None
    return found


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
            ):  # a tree built in calls inside each other: before Python's own limit
                raise RecursionError
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return Loader


class _Converter:
    def __init__(self, lines: dict[FieldPath, int], before: int) -> None:
        self.lines, self.before = lines, before
        self.seen: set[int] = set()
        self.open: set[int] = set()
        self.again = 0

    def value(self, node: Any, path: FieldPath) -> JSON:
        line = node.start_mark.line + self.before + 1
        self.lines.setdefault(path, line)
        if id(node) in self.open:
            raise InvalidYaml(line, "an alias that contains itself")
        if id(node) in self.seen:
            self.again += 1
            if self.again > MAX_ALIAS_USES:
                raise InvalidYaml(line, f"more than {MAX_ALIAS_USES} uses of aliases")
        self.seen.add(id(node))
        if node.tag not in PLAIN_TAGS:
            raise InvalidYaml(line, f"the tag {node.tag} is not used here")
        if isinstance(node.value, str):
            return _scalar(node.value, line) if node.style is None else node.value
        self.open.add(id(node))
        found = self._mapping(node, path) if _is_mapping(node) else self._list(node, path)
        self.open.discard(id(node))
        return found

    def _list(self, node: Any, path: FieldPath) -> list[JSON]:
        return [self.value(one, (*path, place)) for place, one in enumerate(node.value)]

    def _mapping(self, node: Any, path: FieldPath) -> Mapping[str, JSON]:
        found: dict[str, JSON] = {}
        for key, value in node.value:
            line = key.start_mark.line + self.before + 1
            if not isinstance(key.value, str):
                raise InvalidYaml(line, "a key must be a text")
            here: FieldPath = (*path, key.value)
            if key.value in found:
                raise InvalidYaml(line, f"the key {key.value!r} is on line {self.lines[here]} already")
            self.lines[here] = line
            found[key.value] = self.value(value, here)
        return found


def _is_mapping(node: Any) -> bool:
    return str(node.id) == "mapping"


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


# Words that YAML 1.2, or an older reader, takes for something else than a text.
YAML_RESERVED_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
NOT_PLAIN_SCALAR = re.compile(r":(?=\s|$)|\s#|\s$")
# What begins with a digit and is a number or a time to no reader: hashes.
DIGIT_WORD = re.compile(r"(?!0[xob])[0-9](?=[0-9a-z]*[acdfghijklmnqrsuvwy])[0-9a-z]*")
# Readers look no further for the end of a key that is written the short way.
MAX_SIMPLE_KEY_CHARS = 900
YAML_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def format_yaml(value: Mapping[str, JSON], comments: Mapping[str, str] | None = None) -> str:
    """A mapping as a document, with a comment above some of its keys."""
    text = ""
    for key, inner in value.items():
        said = (comments or {}).get(key)
        text += f"# {quote_yaml(said)[1:-1]}\n" if said else ""
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
    """What follows a key or a dash."""
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
    """In double quotes, everything that does not show written as an escape."""
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
    """Whether a literal block gives exactly this text back."""
    body = text.removesuffix("\n")
    return (
        "\n" in body
        and not body.endswith("\n")
        and not body[0].isspace()
        and all(line.isprintable() for line in body.replace("\t", "").split("\n"))
    )
