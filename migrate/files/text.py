"""Read a text file that a user hands in: UTF-8, with or without a byte order mark, of bounded size.

Every config file, rule file, plan and list of ids is read here, so that a file saved by Notepad or
PowerShell is read like any other, and what cannot be read is named with the way out.
"""

from __future__ import annotations

import codecs
import os
import select
import stat
import sys
import time
from pathlib import Path

from migrate.errors import BadUsage

MAX_TEXT_FILE_BYTES = 64 << 20  # a million thread ids are about 36 MB
MAX_PLAN_FILE_BYTES = 4 << 30  # a plan has one action per object
PIPE_WRITER_TIMEOUT_S = 10.0  # a named pipe that nobody opens for writing would otherwise hang for ever
PIPE_POLL_MS = 50
TEXT_READ_CHUNK_BYTES = 1 << 20

# Longest first: the mark of UTF-32 begins with the one of UTF-16.
FOREIGN_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class NotUtf8(ValueError):
    """The bytes are no UTF-8 text. `line` is the line of the first bad byte, from 1 on."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def decode_utf8(data: bytes) -> str:
    """Bytes of a text file as text, without a byte order mark; line ends stay. Raises `NotUtf8`."""
    for mark, name in FOREIGN_BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise NotUtf8(_describe_wrong_encoding(name))
    body = data.removeprefix(codecs.BOM_UTF8)
    if name := _utf16_without_mark(body):
        raise NotUtf8(_describe_wrong_encoding(name))
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        where = f"byte 0x{body[error.start]:02X} at line {line}, column {column}"
        raise NotUtf8(f"is not UTF-8: {where}; save the file as UTF-8", line) from None


def read_text(path: Path, todo: str = "", limit: int = MAX_TEXT_FILE_BYTES) -> str:
    """The text of a file, with line ends as "\\n". `todo` is what the user can do when it cannot be read.

    Raises `BadUsage` for what is missing, a folder, too large (`limit`, in bytes), or not UTF-8.
    """
    data = read_bytes(path, todo, limit)
    try:
        text = decode_utf8(data)
    except NotUtf8 as error:
        raise BadUsage(f"cannot read {path}", f"it {error.reason}", todo) from None
    return _normalize_line_ends(text)


def read_standard_input(todo: str = "") -> str:
    """The text that is piped in, by the same rules. Raises `BadUsage`."""
    if sys.stdin is None:
        raise BadUsage("cannot read standard input", "it is closed", todo)
    try:
        raw = getattr(sys.stdin, "buffer", None)
        if raw is None:  # replaced by another stream of text
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
        raise BadUsage(f"cannot read {str(path)!r}", f"it is no name of a file: {error}", todo) from None


def _read_limited(handle: int, first_bytes: bytes, path: Path, todo: str, limit: int) -> bytes:
    pieces = [first_bytes]
    size = len(first_bytes)
    while piece := os.read(handle, TEXT_READ_CHUNK_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise BadUsage(f"cannot read {path}", _too_large(limit), todo)
    return b"".join(pieces)


def _wait_for_pipe_writer(handle: int, path: Path, todo: str) -> bytes:
    """Wait until somebody has opened a pipe for writing; what was read meanwhile, often nothing.

    As long as nobody has, `poll` reports nothing and `read` gives the end of the file. With a writer that
    has not written yet, `read` would block.
    """
    deadline = time.monotonic() + PIPE_WRITER_TIMEOUT_S
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    while not poll.poll(PIPE_POLL_MS):
        try:
            if piece := os.read(handle, 1):
                return piece
        except BlockingIOError:
            return b""
        if time.monotonic() > deadline:
            raise BadUsage(f"cannot read {path}", "it is a pipe, and no other program writes to it", todo)
    return b""


def _too_large(limit: int) -> str:
    return f"it is larger than {limit >> 20:,} MB, which no such file is"


def _normalize_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _describe_wrong_encoding(encoding: str) -> str:
    return (
        f"is {encoding}, not UTF-8; save it as UTF-8 in your editor, "
        f"or: iconv -f {encoding} -t UTF-8 FILE > NEW"
    )


def _utf16_without_mark(data: bytes) -> str:
    """`UTF-16` where every second byte of the beginning is zero, as in Latin text of that encoding."""
    head = data[:64]
    even, odd = head[::2], head[1::2]
    looks = len(head) >= 4 and (not any(odd) or not any(even)) and any(head)
    return "UTF-16" if looks else ""
