"""Any name becomes a file name that is safe on every system; no two are equal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.stages.safe_filenames import MAX_NAME_BYTES, WINDOWS_DEVICE_NAME, safe_name, safe_names
from tests.strategies import steady

HARMFUL = set('<>:"/\\|?*')
PIECES = "../ . / \\ con NUL COM1 é ü a b.txt .tar.gz : | ～ /etc/passwd -rf".split()
ODD = ["..", "\0", "\x1b[31m", " ", "\t", "\n", "x" * 120, "\U0001f600" * 40, "\u202e", "\ud800"]
pieces = st.sampled_from([*PIECES, *ODD])
names = st.lists(pieces, max_size=8).map("".join) | st.text(max_size=30)
ids = st.text(max_size=12) | st.sampled_from(["file-1", "../x", "", "CON"])


def assert_safe(name: str) -> None:
    assert 0 < len(name.encode()) <= MAX_NAME_BYTES
    assert not HARMFUL & set(name)
    assert not [c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert name[0] != "."
    assert not name[0].isspace()
    assert name[-1] != "."
    assert not name[-1].isspace()
    assert not WINDOWS_DEVICE_NAME.match(name)


@steady
@given(name=names, id_=ids, more=st.sampled_from(["", "-12345678"]))
def test_no_name_is_a_path_or_an_order(name: str, id_: str, more: str) -> None:
    assert_safe(safe_name(name, id_, more))


@steady
@given(rows=st.lists(st.tuples(ids, names), max_size=12, unique_by=lambda row: row[0]))
def test_no_two_files_get_one_name_on_any_system(rows: list[tuple[str, str]]) -> None:
    chosen = safe_names(rows)
    assert set(chosen) == {id_ for id_, _ in rows}
    for name in chosen.values():
        assert_safe(name)
    folded = [unicodedata.normalize("NFKC", name).casefold() for name in chosen.values()]
    assert len(folded) == len(set(folded))
    assert safe_names(rows) == chosen


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Überblick 2025.csv", "Überblick 2025.csv"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.bat", "x.bat"),
        ("/a\\b/c.txt", "c.txt"),
        ("C:\\w.ini", "w.ini"),
        ("a:b", "a_b"),
        ("..", "the id"),
        ("dir/", "the id"),
        ("", "the id"),
        (" . .", "the id"),
        (".bashrc", "bashrc"),
        ("name.txt. . ", "name.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("COM1.tar.gz", "_COM1.tar.gz"),
        ("com¹", "_com¹"),
        ("lpt9 .x", "_lpt9.x"),
        ("console.txt", "console.txt"),
        ("a\0b\n.txt", "a_b_.txt"),
        ("\u202egpj.exe", "_gpj.exe"),
    ],
)
def test_what_becomes_of_a_name(name: str, safe: str) -> None:
    assert safe_name(name, "the id") == safe


def test_a_long_name_keeps_its_ending() -> None:
    cut = safe_name("ü" * 300 + ".tar.gz", "id")
    assert cut.endswith(("ü.gz", ".tar.gz"))
    assert MAX_NAME_BYTES - 4 <= len(cut.encode()) <= MAX_NAME_BYTES
    assert safe_name("a." + "b" * 300, "id").startswith("a.bbb"), "an ending as long as that is none"


def test_files_of_one_name_carry_the_end_of_their_id() -> None:
    chosen = safe_names([("file-00000001", "a.txt"), ("file-00000002", "A.TXT"), ("file-3", "b.txt")])
    assert chosen == {"file-00000001": "a-00000001.txt", "file-00000002": "A-00000002.TXT", "file-3": "b.txt"}


def test_ids_with_equal_endings_are_distinguished_too() -> None:
    chosen = safe_names([("one-00000001", "a"), ("two-00000001", "a"), ("x", "a-00000001")])
    assert chosen == {"one-00000001": "a-one-00000001", "two-00000001": "a-two-00000001", "x": "a-00000001"}
