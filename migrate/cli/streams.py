"""Standard output and standard error, so that writing to them never raises.

Characters that the encoding of a terminal or a pipe lacks are written as escapes. Data for other programs is
always UTF-8. A full disk or a closed pipe is reported once, when the command has ended: it does not interrupt
what the command does on a service.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import select
import sys
from typing import Any, TextIO

from migrate.reports.text_table import display_width

ENCODING_ERRORS = "backslashreplace"
# Start of the further rows of a wrapped line, after the indent of the line.
HANGING_INDENT = "  "
# Narrower terminals get whole lines: hardly a word fits.
MIN_WRAP_COLUMNS = 20
WORDS = re.compile(r"\s*\S+")
# A pipe into `head` or a pager that has read enough: no failure.
CLOSED_PIPE_ERRNOS = frozenset({errno.EPIPE, errno.ECONNRESET})


class OutputDescriptor(io.RawIOBase):
    """A standard descriptor. `error` is the first failure; everything written after it is discarded."""

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
            except BlockingIOError:  # another process shares this pipe and made it non-blocking
                select.select([], [self._number], [])
            except OSError as error:
                self.error = error
        return size


class OutputText(io.TextIOWrapper):
    """A text stream that keeps its encoding. click takes ASCII for a wrong setting and would write UTF-8
    around this stream."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


class ClosedInput(io.TextIOBase):
    """Standard input that was closed: a question gets no answer, and reading a list of ids fails."""

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        return ""

    def read(self, size: int | None = -1) -> str:
        raise OSError(errno.EBADF, "it is closed")


def install_streams() -> None:
    """Replace the standard streams of this process by safe ones; streams set by a test stay."""
    _occupy_closed()
    for name, original, number in (("stdout", sys.__stdout__, 1), ("stderr", sys.__stderr__, 2)):
        stream = getattr(sys, name)
        if stream is original:
            setattr(sys, name, _safe(stream, number))
    if sys.stdin is None:
        sys.stdin = ClosedInput()
    elif sys.stdin is sys.__stdin__ and isinstance(sys.stdin, io.TextIOWrapper):
        with contextlib.suppress(io.UnsupportedOperation):  # something was read from it already
            sys.stdin.reconfigure(errors="replace")  # an answer to a question; lists of ids are read as bytes


def _occupy_closed() -> None:
    """Open the null device for each closed standard descriptor (`>&-`). Otherwise the next file, such as an
    archive, would get its number, and messages would overwrite it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def _safe(stream: TextIO | None, number: int) -> TextIO:
    encoding = stream.encoding if stream is not None else "utf-8"
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    raw = OutputDescriptor(number)
    return OutputText(
        io.BufferedWriter(raw), encoding, ENCODING_ERRORS, line_buffering=number == 2 or raw.isatty()
    )


def write_data(text: str, flush: bool = True) -> None:
    """Write text for another program to standard output: always UTF-8, with unchanged line ends. `flush`:
    do not buffer it."""
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:  # replaced by a stream of text only
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    raw.write(text.encode("utf-8", ENCODING_ERRORS))
    if flush:
        raw.flush()


def stdout_is_broken() -> bool:
    """Whether standard output is no longer read or stored, so that a long listing can stop."""
    return _error(sys.stdout) is not None


def flush_streams() -> str:
    """Write what is still buffered. Returns what went wrong with standard output, or ''."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    error = _error(sys.stdout)
    if error is None or error.errno in CLOSED_PIPE_ERRNOS:
        return ""
    return error.strerror or str(error)


def _error(stream: Any) -> OSError | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, OutputDescriptor) else None


def width_of(stream: Any) -> int:
    """Columns of the terminal behind a stream; 0 if there is no terminal, or it does not report a width."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (AttributeError, OSError, ValueError):
        return 0


def wrap_for_terminal(text: str, stream: Any) -> str:
    """`text` for a standard stream, broken between words if that is a terminal.

    In a pipe or a file a line stays one line, so that `grep` finds whole lines.
    """
    width = width_of(stream)
    if width < MIN_WRAP_COLUMNS:
        return text
    return "\n".join(_wrap_line(line, width) for line in text.split("\n"))


def _wrap_line(line: str, width: int) -> str:
    # textwrap counts characters, not the columns of wide ones.
    if display_width(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    rows = [indent]
    for word in WORDS.findall(line[len(indent) :]):
        if display_width(rows[-1] + word) <= width or not rows[-1].strip():
            rows[-1] += word if rows[-1].strip() else word.lstrip()
        else:
            rows.append(indent + HANGING_INDENT + word.lstrip())
    return "\n".join(rows)
