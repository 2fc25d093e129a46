"""Ignore rules: parsed with precise errors, applied by object and path, counted, and ended by a date."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.errors import BadUsage
from migrate.model.object_diff import diff_objects
from migrate.model.results.diff import Change
from migrate.stages.diff.ignore_rules import (
    ExpectedDifference,
    IgnoreFilter,
    IgnoreRule,
    IgnoreRuleTable,
    parse_path,
    read_ignore_rules,
)

TODAY = date(2026, 11, 21)


def rules(folder: Path, text: str) -> tuple[IgnoreRule, ...]:
    file = folder / "ignore.toml"
    file.write_text(text, encoding="utf-8")
    return read_ignore_rules(file)


def ledger(folder: Path, *tables: str) -> IgnoreFilter:
    text = "\n".join(f"[[ignore]]\nreason = 'known'\n{table}" for table in tables)
    return IgnoreFilter(rules(folder, text), (), TODAY)


def changed(left: dict[str, object], right: dict[str, object], name: str = "Support") -> Change:
    paths = tuple(diff_objects(left, right))
    return Change("assistant", "asst_1", "asst_2", name, "changed", paths, paired_by="name")


@pytest.mark.parametrize(
    ("path", "hit"),
    [
        ("metadata.owner", True),
        ("$.metadata.owner", True),
        ("metadata", True),
        ("metadata.*", True),
        ("metadata.own*", True),
        ('metadata["owner"]', True),
        ("**.owner", True),
        ("", True),
        ("metadata.other", False),
        ("owner", False),
        ("metadata.owner.deeper", False),
        ("metadata[owner]", False),
        ('metadata["own*"]', False),
    ],
)
def test_a_path_is_covered_by_itself_and_its_parents(tmp_path: Path, path: str, hit: bool) -> None:
    change = changed({"metadata": {"owner": "a"}}, {"metadata": {"owner": "b"}})
    kept = ledger(tmp_path, f"path = '{path}'").filter(change)
    assert (kept is None) == hit


@pytest.mark.parametrize(
    ("path", "hit"),
    [
        ("tools[*].function.description", True),
        ("tools[function:find*].function", True),
        ("tools.*.function", False),
        ("tools[function:other]", False),
    ],
)
def test_members_of_lists_are_named_in_brackets(tmp_path: Path, path: str, hit: bool) -> None:
    def tools(text: str) -> dict[str, object]:
        return {"tools": [{"type": "function", "function": {"name": "find_it", "description": text}}]}

    assert (ledger(tmp_path, f"path = '{path}'").filter(changed(tools("a"), tools("b"))) is None) == hit


def test_only_what_a_rule_names_is_taken_and_all_is_counted(tmp_path: Path) -> None:
    book = ledger(tmp_path, "path = 'metadata.a'", "path = 'temperature'", "name = 'Other*'")
    change = changed({"metadata": {"a": "1", "b": "1"}}, {"metadata": {"a": "2", "b": "2"}})
    kept = book.filter(change)
    assert kept is not None
    assert [path.path for path in kept.paths] == ["metadata.b"]
    assert [row.count for row in book.ignored()] == [1, 0, 0]


@pytest.mark.parametrize(
    ("table", "hit"),
    [("", True), ("kind = 'file'", False), ("name = 'Sup*'", True), ("name = 'asst_2'", True),
     ("name = 'sup*'", False), ("action = 'removed'", False), ("action = 'added'", True),
     ("path = 'name'", False)],
)  # fmt: skip
def test_an_object_that_came_is_taken_by_rules_without_a_path(tmp_path: Path, table: str, hit: bool) -> None:
    change = Change("assistant", "", "asst_2", "Support", "added")
    book = ledger(tmp_path, table)
    assert (book.filter(change) is None) == hit
    assert [row.count for row in book.ignored()] == [int(hit)]


def test_an_expired_rule_is_reported_and_not_applied(tmp_path: Path) -> None:
    book = ledger(tmp_path, "expires = 2026-11-20", "expires = 2026-11-21\npath = 'model'")
    change = changed({"model": "a", "name": "x"}, {"model": "b", "name": "y"})
    kept = book.filter(change)
    assert kept is not None
    assert [path.path for path in kept.paths] == ["name"]
    assert book.expired() == ("ignore.toml, rule 1 expired on 2026-11-20: known",)
    assert [(row.rule, row.expires, row.count) for row in book.ignored()] == [
        ("ignore.toml, rule 2", "2026-11-21", 1)
    ]


def test_what_the_configuration_expects_is_counted_too() -> None:
    book = IgnoreFilter((), (ExpectedDifference("a reason", lambda path: path.field == "model"),), TODAY)
    assert book.filter(changed({"model": "a"}, {"model": "b"})) is None
    assert [(row.rule, row.reason, row.count) for row in book.ignored()] == [("expected", "a reason", 1)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[ignore]]\nkind = 'file'", "rule 1: reason: Field required"),
        ("[[ignore]]\nreason = ''", "rule 1: reason"),
        ("[[ignore]]\nreason = 'x'\n\n[[ignore]]\nreason = 'y'\npaht = 'z'", "rule 2: paht"),
        ("[[ignore]]\nreason = 'x'\nkind = 'agent'", "there is no kind 'agent'"),
        ("[[ignore]]\nreason = 'x'\nexpires = 'soon'", "rule 1: expires"),
        ("[[ignore]]\nreason = 'x'\npath = 'a[b'", "cannot be read at '[b'"),
        ("[[ignore]]\nreason = 'x'\naction = 'moved'", "rule 1: action"),
        ("[[ignored]]\nreason = 'x'", "ignored"),
        ("ignore = 3", "ignore"),
        ("ignore = [3]", "rule 1"),
        ("[[ignore", "cannot read"),
    ],
)
def test_a_mistake_in_a_rule_is_reported_with_rule_and_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadUsage) as told:
        rules(tmp_path, text)
    assert words in " ".join(told.value.lines())
    assert "ignore.toml" in told.value.what


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="cannot read"):
        read_ignore_rules(tmp_path / "none.toml")


KEYS = (
    st.sampled_from(["[x]", "[x", "*abc", "a?b", "a]b", 'q"q', "**", "$", "\n", "", "é", "0", "[*]", "a.b"])
    | st.text()
)


@given(KEYS)
def test_a_path_is_written_in_a_rule_as_diff_shows_it(key: str) -> None:
    change = changed({"metadata": {key: "1"}}, {"metadata": {key: "2"}})
    assert _ignored(change.paths[0].path, change)
    assert not _ignored(change.paths[0].path, changed({"metadata": {f"{key}.": "1"}}, {"metadata": {}}))


@given(KEYS.filter(bool))
def test_so_is_the_name_of_a_member(name: str) -> None:
    def tools(text: str) -> dict[str, object]:
        return {"tools": [{"type": "function", "function": {"name": name, "description": text}}]}

    change = changed(tools("a"), tools("b"))
    assert _ignored(change.paths[0].path, change)


def _ignored(path: str, change: Change) -> bool:
    table = IgnoreRuleTable(path=path, reason="known")
    rule = IgnoreRule("rule 1", table, parse_path("rule 1", path))
    return IgnoreFilter((rule,), (), TODAY).filter(change) is None


def test_a_key_that_looks_like_a_member_is_none(tmp_path: Path) -> None:
    change = changed({"metadata": {"[x]": "1"}}, {"metadata": {"[x]": "2"}})
    assert [path.path for path in change.paths] == ['metadata["[x]"]']
    assert ledger(tmp_path, "path = 'metadata[x]'").filter(change) is not None


def test_an_invalid_escape_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="rule 1: path"):
        rules(tmp_path, "[[ignore]]\nreason = 'r'\npath = '''metadata[\"\\x\"]'''\n")


def test_two_files_of_one_name_are_counted_apart(tmp_path: Path) -> None:
    texts = {"one": "path = 'metadata.a'", "two": "path = 'metadata.b'"}
    found: tuple[IgnoreRule, ...] = ()
    for name, path in texts.items():
        (tmp_path / name).mkdir()
        found += rules(tmp_path / name, f"[[ignore]]\nreason = '{name}'\n{path}\n")
    book = IgnoreFilter(found, (), TODAY)
    assert book.filter(changed({"metadata": {"a": "1"}}, {"metadata": {"a": "2"}})) is None
    assert [(row.reason, row.count) for row in book.ignored()] == [("one", 1), ("two", 0)]
