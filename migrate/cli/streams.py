"""Standard output and standard error of this process, made so that writing to them never ends in a traceback.

Signs that the encoding of a terminal or a pipe lacks are written as escapes. Data for another program goes
out as UTF-8, whatever the encoding. A disk that is full, or a reader that has gone, is noted and told once,
when the command has ended; what the command does on a service is not broken off by it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from typing import Any, TextIO

ERRORS = "backslashreplace"
# A pipe into `head` or a pager that has seen enough: no failure.
READER_GONE = frozenset({errno.EPIPE, errno.ECONNRESET})


class Descriptor(io.RawIOBase):
    """One of the standard descriptors, which writes what it can. `error` is the first failure; whatever is
    written after it goes nowhere."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, data: Any) -> int:
        size = len(data)
        while self.error is None:
            try:
                return os.write(self._number, data)
            except BlockingIOError:  # somebody shares this pipe and set it so
                select.select([], [self._number], [])
            except OSError as error:
                self.error = error
        return size


class Text(io.TextIOWrapper):
    """A stream of text that keeps its encoding. click takes ASCII for a mistake in the settings, and would
    write UTF-8 beside this stream."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


class ClosedInput(io.TextIOBase):
    """Standard input that was closed: nobody answers a question, and a list of ids cannot be read from it."""

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        return ""

    def read(self, size: int | None = -1) -> str:
        raise OSError(errno.EBADF, "it is closed")


def prepare() -> None:
    """Put safe streams in the place of this process's own; streams that a test put there stay."""
    _occupy_closed()
    for name, original, number in (("stdout", sys.__stdout__, 1), ("stderr", sys.__stderr__, 2)):
        stream = getattr(sys, name)
        if stream is original:
            setattr(sys, name, _safe(stream, number))
    if sys.stdin is None:
        sys.stdin = ClosedInput()
    elif sys.stdin is sys.__stdin__ and isinstance(sys.stdin, io.TextIOWrapper):
        with contextlib.suppress(io.UnsupportedOperation):  # somebody has read from it already
            sys.stdin.reconfigure(errors="replace")  # an answer to a question; lists of ids are read as bytes


def _occupy_closed() -> None:
    """With a standard descriptor closed (`>&-`), the next file that is opened would get its number, and an
    archive would be written over by messages."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def _safe(stream: TextIO | None, number: int) -> TextIO:
    encoding = stream.encoding if stream is not None else "utf-8"
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    raw = Descriptor(number)
    return Text(io.BufferedWriter(raw), encoding, ERRORS, line_buffering=number == 2 or raw.isatty())


def write_data(text: str, flush: bool = True) -> None:
    """Text for another program, on standard output: always UTF-8, never with other line ends. `flush`: it
    waits for this text while the command goes on."""
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:  # replaced by another stream of text
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    raw.write(text.encode("utf-8", ERRORS))
    if flush:
        raw.flush()


def broken() -> bool:
    """Whether nobody sees what is written to standard output any more: a long listing can end."""
    return _error(sys.stdout) is not None


def finish() -> str:
    """Write out what is still held back. What went wrong with standard output, in words, or ''."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    error = _error(sys.stdout)
    if error is None or error.errno in READER_GONE:
        return ""
    return error.strerror or str(error)


def _error(stream: Any) -> OSError | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, Descriptor) else None
