"""Lines on a terminal are broken between words; what goes into a pipe or a file stays on one line."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from migrate.cli.streams import _wrap_line, wrap_for_terminal
from migrate.reports.text_table import display_width

COLUMNS = 40


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("short enough", ["short enough"]),
        ("", [""]),
        ("one two three four five six seven eight 9", ["one two three four five six seven eight", "  9"]),
        (
            "  why: the service answered something that nobody knows",
            ["  why: the service answered something", "    that nobody knows"],
        ),
        ("name    id      state      something   else", ["name    id      state      something", "  else"]),
        (f"at https://{'a' * 50}/x it ends", ["at", f"  https://{'a' * 50}/x", "  it ends"]),
        (f"{'b' * 50} ends", ["b" * 50, "  ends"]),
        (f"{'注文' * 9} 受付係 受付係", [f"{'注文' * 9}", "  受付係 受付係"]),
    ],
)  # fmt: skip
def test_a_line_is_broken_between_words_and_its_rows_hang(line: str, rows: list[str]) -> None:
    assert _wrap_line(line, COLUMNS).split("\n") == rows
    assert all(display_width(row) <= COLUMNS or " " not in row.strip() for row in rows)


def test_a_stream_that_is_no_terminal_gets_whole_lines() -> None:
    line = "word " * 100
    assert wrap_for_terminal(line, io.StringIO()) == line


@pytest.mark.parametrize("columns", [0, 10, 80])
def test_an_error_on_a_terminal_keeps_its_words_whole(columns: int, tmp_path: Path) -> None:
    """On a terminal no word of an error is split."""
    command = [sys.executable, "-m", "migrate", "snapshots", str(tmp_path / ("no-such-archive-" * 8))]
    whole = subprocess.run(command, capture_output=True, check=False, timeout=60)
    ours, theirs = pty.openpty()
    _set_size(theirs, columns)
    with subprocess.Popen(command, stderr=theirs, stdout=theirs) as running:
        os.close(theirs)
        shown = b""
        while part := _read(ours):
            shown += part
    os.close(ours)
    assert running.returncode == whole.returncode == 2
    assert shown.split() == whole.stderr.split()
    broken = shown.count(b"\n") > whole.stderr.count(b"\n")
    assert broken is (columns == 80)


def _set_size(descriptor: int, columns: int) -> None:
    import fcntl
    import struct

    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux: the other end was closed
        return b""
