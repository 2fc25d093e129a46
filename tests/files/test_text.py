"""Text files of users: read in whatever encoding an editor saved them, or refused with advice."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from migrate.errors import BadUsage
from migrate.files import text as text_files
from migrate.files.text import ids_of_lines, read_standard_input, read_text

WORDS = 'name = "Zoë 😀"\nnext = 1\n'


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        WORDS.encode("utf-8-sig"),
        WORDS.replace("\n", "\r\n").encode(),
        WORDS.replace("\n", "\r\n").encode("utf-8-sig"),
        WORDS.replace("\n", "\r").encode(),
    ],
    ids=["plain", "mark", "crlf", "mark and crlf", "cr"],
)
def test_utf8_of_every_editor_is_read(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(data)
    assert read_text(file) == WORDS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_another_unicode_encoding_is_reported_with_the_way_out(
    tmp_path: Path, encoding: str, marked: bool
) -> None:
    file = tmp_path / "a.toml"
    body = "name = 1\n" if marked else "abc\n"
    data = body.encode(encoding)
    bare = encoding.endswith(("le", "be"))
    if marked and bare:
        data = "\ufeff".encode(encoding) + data
    file.write_bytes(data)
    with pytest.raises(BadUsage) as failed:
        read_text(file, "this is what to do")
    name = "UTF-32" if "32" in encoding and (marked or not bare) else "UTF-16"
    assert name in failed.value.why
    assert "iconv" in failed.value.why
    assert failed.value.todo == "this is what to do"


def test_a_byte_of_a_code_page_is_named_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"\xef\xbb\xbfok = 1\nname = 'Zo\xeb'\n")
    with pytest.raises(BadUsage) as failed:
        read_text(file)
    assert "byte 0xEB at line 2, column 11" in failed.value.why


def test_what_is_no_file_is_reported(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path, "a folder"),
        (tmp_path / "no", "No such file"),
        (Path(f"{tmp_path}/a\0b"), "not a valid file name"),
        (Path(f"{tmp_path}/{'a' * 300}"), "too long"),
    ):
        with pytest.raises(BadUsage) as failed:
            read_text(path)
        assert why in failed.value.why


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "TEXT_READ_CHUNK_BYTES", 1 << 16)
    with pytest.raises(BadUsage) as failed:
        read_text(Path("/dev/zero"), limit=1 << 20)
    assert "larger than the limit of 1 MB" in failed.value.why
    assert read_text(Path("/dev/null")) == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_read_once_somebody_writes_and_given_up_when_nobody_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            started.set()
            time.sleep(0.05)  # opened, and nothing written yet
            file.write(b"a")
            file.write(b"b\n" * 100_000)

    started = threading.Event()
    writer = threading.Thread(target=write)
    writer.start()
    assert read_text(pipe) == "a" + "b\n" * 100_000
    writer.join()
    monkeypatch.setattr(text_files, "PIPE_WRITER_TIMEOUT_S", 0.0)
    with pytest.raises(BadUsage) as failed:
        read_text(pipe)
    assert "no other program writes to it" in failed.value.why


@pytest.mark.parametrize(
    ("data", "found"), [(b"\xef\xbb\xbfone\r\ntwo", "one\ntwo"), ("one".encode("utf-16"), "UTF-16")]
)
def test_standard_input_is_read_by_the_same_rules(
    monkeypatch: pytest.MonkeyPatch, data: bytes, found: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))
    if found.startswith("UTF"):
        with pytest.raises(BadUsage, match="standard input") as failed:
            read_standard_input()
        assert found in failed.value.why
    else:
        assert read_standard_input() == found


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BadUsage, match="standard input"):
        read_standard_input()


def test_a_list_of_ids_has_comments_between_blanks_and_names_with_the_same_sign() -> None:
    text = "# all\n #1\nasst_1 # yes\n  asst_2\t#\tno\r\n\nC#\nC# 2\u2028x\nasst_1\n#\n"
    text += "Agent #1\nAgent #2 # two\nx #"
    assert ids_of_lines(text) == ["asst_1", "asst_2", "C#", "C# 2\u2028x", "Agent #1", "Agent #2", "x"]
