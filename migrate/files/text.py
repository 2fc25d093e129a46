"""Read a text file of the user: UTF-8, with or without a byte order mark, of limited size.

Every config file, rules file, plan and list of ids is read here. So files saved by Notepad or PowerShell
can be read, and for a file that cannot be read the error message says what the user can do.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import stat
import sys
import time
from pathlib import Path
from typing import Any

from migrate.errors import BadUsage

MAX_TEXT_FILE_BYTES = 64 << 20  # a million thread ids are about 36 MB
MAX_PLAN_FILE_BYTES = 4 << 30  # a plan has one action per object
# Reading a named pipe without a writer would otherwise wait for ever.
PIPE_WRITER_TIMEOUT_S = 10.0
PIPE_POLL_MS = 50
TEXT_READ_CHUNK_BYTES = 1 << 20

# In a list of ids.
COMMENT = re.compile(r"^\s*#.*|\s#(\s.*)?$")
# Longest first: the mark of UTF-32 begins with that of UTF-16.
FOREIGN_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class NotUtf8(ValueError):
    """The bytes are not valid UTF-8. `line`: the line of the first invalid byte, from 1."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def decode_utf8(data: bytes) -> str:
    """Decode the bytes of a text file, without a byte order mark and with its line ends. Raises `NotUtf8`."""
    for mark, name in FOREIGN_BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise NotUtf8(_describe_wrong_encoding(name))
    body = data.removeprefix(codecs.BOM_UTF8)
    if name := _utf16_without_mark(body):
        raise NotUtf8(_describe_wrong_encoding(name))
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        valid = body[: error.start]
        line, column = valid.count(b"\n") + 1, error.start - (valid.rfind(b"\n") + 1) + 1
        position = f"byte 0x{body[error.start]:02X} at line {line}, column {column}"
        raise NotUtf8(f"is not UTF-8: {position}; save the file as UTF-8", line) from None


def read_text(path: Path, todo: str = "", limit: int = MAX_TEXT_FILE_BYTES) -> str:
    """The text of a file, with line ends as "\\n". `todo`: what the user can do if the file cannot be read.

    Raises `BadUsage` if the file does not exist, is a folder, is larger than `limit` bytes, or is not UTF-8.
    """
    data = read_bytes(path, todo, limit)
    try:
        text = decode_utf8(data)
    except NotUtf8 as error:
        raise BadUsage(f"cannot read {path}", f"it {error.reason}", todo) from None
    return _normalize_line_ends(text)


def read_toml(path: Path, todo: str) -> dict[str, Any]:
    """The content of a TOML file. Raises `BadUsage` with `todo` if it cannot be read."""
    if sys.version_info >= (3, 11):  # loaded here: commands without a TOML file start faster
        import tomllib
    else:
        import tomli as tomllib
    text = read_text(path, todo)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadUsage(f"cannot read {path}", str(error), todo) from None


def read_standard_input(todo: str = "") -> str:
    """The text of standard input, read in the same way. Raises `BadUsage`."""
    if sys.stdin is None:
        raise BadUsage("cannot read standard input", "it is closed", todo)
    try:
        raw = getattr(sys.stdin, "buffer", None)
        if raw is None:  # replaced by a text stream, as tests do
            return sys.stdin.read()
        data = raw.read(MAX_TEXT_FILE_BYTES + 1)
        if len(data) > MAX_TEXT_FILE_BYTES:
            raise BadUsage("cannot read standard input", _too_large(MAX_TEXT_FILE_BYTES), todo)
        return _normalize_line_ends(decode_utf8(data))
    except OSError as error:
        raise BadUsage("cannot read standard input", error.strerror or str(error), todo) from None
    except NotUtf8 as error:
        raise BadUsage("cannot read standard input", f"it {error.reason}", todo) from None


def read_bytes(path: Path, todo: str = "", limit: int = MAX_TEXT_FILE_BYTES) -> bytes:
    """At most `limit` bytes of a file, a pipe or a device. Raises `BadUsage`."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            mode = os.fstat(handle).st_mode
            if stat.S_ISDIR(mode):
                raise BadUsage(f"cannot read {path}", "it is a folder, not a file", todo)
            first_bytes = _wait_for_pipe_writer(handle, path, todo) if stat.S_ISFIFO(mode) else b""
            if os.name == "posix":
                os.set_blocking(handle, True)
            return _read_limited(handle, first_bytes, path, todo, limit)
        finally:
            os.close(handle)
    except OSError as error:
        raise BadUsage(f"cannot read {path}", error.strerror or str(error), todo) from None
    except ValueError as error:  # a NUL or half a surrogate pair in the name
        raise BadUsage(f"cannot read {str(path)!r}", f"it is not a valid file name: {error}", todo) from None


def _read_limited(handle: int, first_bytes: bytes, path: Path, todo: str, limit: int) -> bytes:
    data = bytearray(first_bytes)
    while chunk := os.read(handle, TEXT_READ_CHUNK_BYTES):
        data += chunk
        if len(data) > limit:
            raise BadUsage(f"cannot read {path}", _too_large(limit), todo)
    return bytes(data)


def _wait_for_pipe_writer(handle: int, path: Path, todo: str) -> bytes:
    """Wait until a program has opened a pipe for writing; returns what was read meanwhile, often nothing.

    Without a writer, `poll` reports nothing and `read` returns the end of the file. With a writer that has
    not written yet, `read` would block.
    """
    deadline = time.monotonic() + PIPE_WRITER_TIMEOUT_S
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    while not poll.poll(PIPE_POLL_MS):
        try:
            if first_byte := os.read(handle, 1):
                return first_byte
        except BlockingIOError:
            return b""
        if time.monotonic() > deadline:
            raise BadUsage(f"cannot read {path}", "it is a pipe, and no other program writes to it", todo)
    return b""


def _too_large(limit: int) -> str:
    return f"it is larger than the limit of {limit >> 20:,} MB"


def _normalize_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _describe_wrong_encoding(encoding: str) -> str:
    return (
        f"is {encoding}, not UTF-8; save it as UTF-8 in your editor, "
        f"or: iconv -f {encoding} -t UTF-8 FILE > NEW"
    )


def _utf16_without_mark(data: bytes) -> str:
    """`UTF-16` if every second byte at the start is zero, as in Latin text in this encoding; else ''."""
    head = data[:64]
    even, odd = head[::2], head[1::2]
    is_utf16 = len(head) >= 4 and (not any(odd) or not any(even)) and any(head)
    return "UTF-16" if is_utf16 else ""


def ids_of_lines(text: str) -> list[str]:
    """The ids in a text with one id a line, in order, each once, without empty lines and comments: `#` at the
    beginning of a line, or between blanks. Names have it too, as `C#` and `Agent #1` have."""
    ids = (COMMENT.sub("", line).strip() for line in text.split("\n"))
    return list(dict.fromkeys(id_ for id_ in ids if id_))
