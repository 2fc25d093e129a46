"""Terraform's language: a small parser reads back what was written."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.codecs.terraform import (
    HclExpression,
    agents_as_terraform,
    format_hcl,
    quote_hcl,
    terraform_identifier,
)
from tests.strategies import steady

pieces = st.sampled_from(
    [
        "${",
        "%{",
        "$${",
        "$",
        "%",
        "{",
        "}",
        '"',
        "\\",
        "\n",
        "EOT",
        "\nEOT\n",
        " ",
        "\t",
        "a",
        "\r",
        "\x00",
        "é",
        "\u2028",
    ]
)
texts = st.text(max_size=20) | st.lists(pieces, max_size=12).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("for"), inner, max_size=3),
    max_leaves=10,
)


class Reader:
    """Reads the expressions that the program writes. A template that is not escaped is an error."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def take(self, pattern: str) -> re.Match[str] | None:
        found = re.compile(pattern, re.DOTALL).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def need(self, pattern: str) -> re.Match[str]:
        found = self.take(pattern)
        assert found, f"{pattern} is not at {self.text[self.at : self.at + 40]!r}"
        return found

    def value(self) -> Any:
        self.take(r"\s*")
        if self.take(r"trimsuffix\(<<"):
            mark = self.need(r"(\w+)\n")[1]
            body = self.need(rf"(.*?)\n{mark}\n, \"\\n\"\)")[1]
            assert mark not in [line.strip() for line in body.split("\n")]
            assert not re.search(r"[$%]{3}\{", body)
            return DOUBLED.sub(meant, body)
        if found := self.take(r'"((?:[^"\\]|\\.)*)"'):
            assert not re.search(r"[$%]{3}\{", found[1])
            return ESCAPE.sub(meant, found[1])
        if self.take(r"\["):
            return list(self.items())
        if self.take(r"\{"):
            return dict(self.entries())
        word = self.need(r"[-+.\w]+")[0]
        names = {"null": None, "true": True, "false": False}
        return names[word] if word in names else float(word) if re.search(r"[.e]", word) else int(word)

    def items(self) -> Any:
        while not self.take(r"\s*\]"):
            yield self.value()
            self.need(",")

    def entries(self) -> Any:
        while not self.take(r"\s*\}"):
            self.take(r"\s*")
            word = self.take(r"[A-Za-z_][\w-]*")
            assert not word or word[0] not in ("for", "null", "true", "false")
            key = word[0] if word else self.value()
            self.need(" = ")
            yield key, self.value()
            self.need("\n")


ESCAPE = re.compile(r'\\(u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt"\\])|\$\$\{|%%\{|\$\{|%\{')
DOUBLED = re.compile(r"\$\$\{|%%\{|\$\{|%\{")


def meant(found: re.Match[str]) -> str:
    """The character of an escape. The beginning of a template is an error, because Terraform would evaluate
    it."""
    assert found[0] not in ("${", "%{"), found.string
    if found[0][0] in "$%":
        return found[0][1:]
    code = found[1]
    return chr(int(code[1:], 16)) if code[0] in "uU" else {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)


@steady
@given(values)
def test_any_value_reads_back(value: Any) -> None:
    reader = Reader(format_hcl(value))
    assert reader.value() == value
    assert reader.at == len(reader.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${var.x}", '"$${var.x}"'),
        ("%{if}", '"%%{if}"'),
        ("$5", '"$5"'),
        ('"', '"\\""'),
        ("a\\b", '"a\\\\b"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("\ud800", '"\\ufffd"'),
        ("\U0001f600\u202e", '"\U0001f600\\u202e"'),
    ],
)
def test_what_could_be_obeyed_is_text(text: str, expected: str) -> None:
    assert quote_hcl(text) == expected


def test_lines_stay_lines() -> None:
    assert format_hcl("one\nEOT\ntwo ${x}") == 'trimsuffix(<<EOT2\none\nEOT\ntwo $${x}\nEOT2\n, "\\n")'


def test_an_expression_is_written_unquoted() -> None:
    assert format_hcl({"a": HclExpression("var.b")}) == "{\n  a = var.b\n}"


def test_every_agent_has_its_own_resource() -> None:
    agents = {name: {"definition": {}} for name in ("Desk", "desk", "DESK!", "1", "", "日本", "a b")}
    found = agents_as_terraform(agents, "h/api/projects/p", existing=True)
    names = list(found.resources.values())
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert found.text.count("resource ") == found.text.count("import {") == len(agents)
    assert (
        agents_as_terraform(dict(reversed(agents.items())), "h/api/projects/p", existing=True).text
        == found.text
    )


def test_an_import_has_the_id_that_the_provider_reads() -> None:
    text = agents_as_terraform({"desk": {"definition": {}}}, "h/api/projects/p", existing=True).text
    assert 'id = "${var.project}/agents/desk|Microsoft.Foundry/agents@v1"' in text
    assert 'default     = "h/api/projects/p"' in text


def test_secrets_are_variables() -> None:
    tool = {"type": "mcp", "headers": {"Authorization": "Bearer tomato"}, "parameters": {"token": "a name"}}
    found = agents_as_terraform({"desk": {"definition": {"tools": [tool]}}}, "", existing=False)
    assert "tomato" not in found.text
    assert found.secrets == ["desk_definition_tools_0_headers_authorization"]
    assert (
        'variable "desk_definition_tools_0_headers_authorization" {\n  type      = string\n  sensitive = true'
        in found.text
    )
    assert 'token = "a name"' in found.text


def test_a_name_is_an_identifier() -> None:
    assert [terraform_identifier(text, "agent") for text in ("Ä-b c", "9x", "")] == [
        "b_c",
        "agent_9x",
        "agent",
    ]
