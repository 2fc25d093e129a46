"""YAML: what is written reads back exactly, and values that people write are read as they expect."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.codecs.config_directory.yaml_text import InvalidYaml, format_scalar, format_yaml, parse_yaml
from tests.strategies import steady

anything = st.text(st.characters(exclude_categories=()), max_size=30)
lines = st.lists(st.text("ab \t#:-'\"|>{}[]&*!%@`\r\n\x85\u2028\ufeff\ud800é", max_size=8), max_size=5)
texts = anything | lines.map("\n".join) | st.text("0123456789.eExX+-_:abcdefotyn", max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@steady
@given(st.dictionaries(texts, values, max_size=5))
def test_any_value_reads_back_exactly(value: dict[str, Any]) -> None:
    back = parse_yaml(format_yaml(value)).value
    assert back == (value or None)
    assert repr(back) == repr(value or None)  # 1, 1.0 and true are different


@steady
@given(st.text(max_size=2000), st.integers(800, 3000))
def test_a_long_key_reads_back(text: str, length: int) -> None:
    key = (text + "k" * length)[:length]
    assert parse_yaml(format_yaml({key: {"a": [1]}})).value == {key: {"a": [1]}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("'12'", "12"),
        ('"true"', "true"),
        ("=", "="),
        ("<<", "<<"),
        ("0b11", "0b11"),
    ],
)
def test_a_scalar_is_read_by_the_core_schema(text: str, value: Any) -> None:
    found = parse_yaml(f"key: {text}\n").value["key"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Plain words, with (all) sorts", "Plain words, with (all) sorts"),
        ("no", '"no"'),
        ("12", '"12"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("#a", '"#a"'),
        ("", '""'),
        (" a", '" a"'),
        ("a\x1b", '"a\\x1b"'),
        ("0af3", "0af3"),
        ("1e10", '"1e10"'),
        ("0x1f", '"0x1f"'),
        ("\ud800", '"\\ud800"'),
        (0.3, "0.3"),
    ],
)
def test_texts_are_quoted_where_another_reader_could_err(value: Any, text: str) -> None:
    assert format_scalar(value) == text


def test_text_of_several_lines_is_a_block() -> None:
    assert format_yaml({"a": "one\n\n  two", "b": "x\ny\n"}) == "a: |-\n  one\n\n    two\nb: |\n  x\n  y\n"


@pytest.mark.parametrize(
    "text",
    [" a\nb", "\na\nb", "\ta\nb", "a\n", "a\n\n", "\n", "\n\n", "a\n b\n  c", "a\n\n\nb", "a \nb ",
     "a\n  \nb", "#a\n- b", "a\r\nb", "a\x85b\nc", "a\u2028\nb", "\ufeffa\nb", "---\na\n...\nb"],
)  # fmt: skip
def test_a_text_of_several_lines_is_exact(text: str) -> None:
    assert parse_yaml(format_yaml({"a": text, "b": [text, {"c": text}]})).value == {
        "a": text,
        "b": [text, {"c": text}],
    }


def test_nothing_is_folded() -> None:
    assert format_yaml({"a": "word " * 500 + "end"}).count("\n") == 1


def test_every_part_knows_its_line() -> None:
    document = parse_yaml("a: 1\nb:\n  - x\n  - c: 2\n    d: [1,\n 2]\n", before=10)
    assert [document.line(path) for path in (("a",), ("b", 1, "d"), ("b", 1, "d", 1), ("b", 1, "gone"))] == [
        11,
        15,
        16,
        14,
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is on line 1"),
        ("a: &x [*x]\n", 1, "contains itself"),
        ("a: !!python/object:os.system x\n", 1, "the tag"),
        ("? [a]\n: b\n", 1, "a key must be a text"),
        ("a: [\n", 2, "no YAML"),
        ("a: x\x07\n", 1, "character #x7 is not allowed here"),
        ("a:\n\n  x\x07\n", 3, "character #x7 is not allowed here"),
        (f"a: {'9' * 5000}\n", 1, "so many digits"),
        ("a: 1\n---\nb: 2\n", 2, "no YAML"),
    ],
)
def test_what_cannot_be_read_is_reported_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(InvalidYaml, match=reason) as reported:
        parse_yaml(text)
    assert reported.value.line == line


def test_a_few_aliases_are_welcome() -> None:
    assert parse_yaml("a: &x {k: [1]}\nb: *x\n").value == {"a": {"k": [1]}, "b": {"k": [1]}}
