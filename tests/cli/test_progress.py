"""The progress on standard error: correct numbers, one line, not too often, and no control characters."""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from migrate.cli.progress import DISPLAY_INTERVALS_S, RATE_WINDOW_S, StderrProgress, duration_text
from migrate.emulator import Emulator, Options

ROOT = Path(__file__).parents[2]
WIPE = "\r\x1b[2K"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class ProgressOutput:
    """A progress with a clock that the test sets, and its output since the last call."""

    def __init__(self, capsys: pytest.CaptureFixture[str], live: bool) -> None:
        self.clock = Clock()
        self.progress = StderrProgress(self.clock, live, threaded=False)
        self._capsys = capsys

    def after(self, seconds: float, **counts: int) -> str:
        for what, number in counts.items():
            self.progress.count(what, number)
        self.clock.now += seconds
        self.progress.tick()
        return self.new_output()

    def new_output(self) -> str:
        return self._capsys.readouterr().err


@pytest.fixture
def piped(capsys: pytest.CaptureFixture[str]) -> ProgressOutput:
    return ProgressOutput(capsys, live=False)


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> ProgressOutput:
    return ProgressOutput(capsys, live=True)


def test_without_a_terminal_a_line_comes_every_ten_seconds(piped: ProgressOutput) -> None:
    lines = [piped.after(1, message=100) for _ in range(45)]
    told = [n for n, line in enumerate(lines, 1) if line]
    assert told == [10, 20, 30, 40]
    for line in filter(None, lines):
        assert re.fullmatch(r" *\d+\.0 s  100 message/s, message [\d,]+\n", line)


def test_the_rate_is_that_of_the_last_seconds(piped: ProgressOutput) -> None:
    for _ in range(100):
        last = piped.after(1, message=1000)
    assert "1,000 message/s" in last
    for _ in range(int(RATE_WINDOW_S) + 10):
        line = piped.after(1, message=10)
        last = line or last
    assert "10 message/s" in last
    assert "message 100,300" in last


def test_a_total_that_may_grow_gives_no_remaining_time(piped: ProgressOutput) -> None:
    piped.progress.expect("message", 1000)
    line = piped.after(10, message=100)
    assert "message 100 of 1,000 so far" in line
    assert "left" not in line
    piped.progress.total_known("message")
    line = piped.after(10, message=100)
    assert "  80 s left, 10 message/s, message 200 of 1,000\n" in line
    piped.progress.expect("message", 1000)
    assert "left" not in piped.after(10, message=100)


def test_no_remaining_time_is_invented(piped: ProgressOutput) -> None:
    for what in ("file", "message"):
        piped.progress.expect(what, 100)
        piped.progress.total_known(what)
    assert "left" not in piped.after(10, message=50), "files have not begun"
    assert "180 s" not in piped.after(10, file=10)
    assert "4 min left" not in piped.after(10)
    assert "left" not in piped.after(10, file=90, message=50), "all is done"


def test_the_slowest_kind_decides_the_remaining_time(piped: ProgressOutput) -> None:
    for what in ("file", "message"):
        piped.progress.expect(what, 100)
        piped.progress.total_known(what)
    assert "90 s left" in piped.after(10, message=50, file=10)


def test_bytes_are_shown_as_mb(piped: ProgressOutput) -> None:
    piped.progress.expect("bytes", 500_000_000)
    assert "  5.0 MB/s, bytes 50.0 MB of 500.0 MB so far\n" in piped.after(10, bytes=50_000_000)


def test_a_wait_is_shown_also_while_nothing_changes(piped: ProgressOutput) -> None:
    waiting = "waiting 12 s as the service asked, 3 of 8 workers"
    piped.progress.watch(lambda: waiting)
    piped.after(1, message=5)
    line = piped.after(9)
    assert line.startswith(f"  10.0 s  {waiting}, 0.5 message/s, message 5")
    waiting = ""
    assert "waiting" not in piped.after(10)


def test_an_outage_is_shown_at_once_without_a_remaining_time(piped: ProgressOutput) -> None:
    wait = [""]
    piped.progress.watch(lambda: wait[0])
    piped.progress.expect("message", 1000)
    piped.progress.total_known("message")
    assert "left" in piped.after(10, message=100)
    wait[0] = "no answer for 6 s"
    line = piped.after(1, message=1)
    assert "no answer for 6 s" in line
    assert "left" not in line
    wait[0] = "no answer for 9 s"
    assert piped.after(3) == ""
    wait[0] = "no answer for 16 s"
    assert "no answer for 16 s" in piped.after(7)
    wait[0] = ""
    assert "left" in piped.after(10, message=100)


def test_on_a_terminal_one_line_is_written_over(
    shown: ProgressOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate.cli.progress._columns", lambda: 30)
    lines = [shown.after(0.05, a_kind_with_a_long_name=1) for _ in range(100)]
    told = [line for line in lines if line]
    assert len(told) <= 5 / DISPLAY_INTERVALS_S[0] + 1
    for line in told:
        assert line.startswith(WIPE)
        assert "\n" not in line
        assert len(line.removeprefix(WIPE)) <= 29
    shown.progress.say("something\x1b[31m else")
    assert shown.new_output() == f"{WIPE}something\\x1b[31m else\n"
    shown.progress.close()
    assert shown.new_output().startswith("   5.0 s"[3:])


def test_the_end_is_one_line_with_everything(piped: ProgressOutput) -> None:
    piped.after(2, message=400, thread=2)
    piped.progress.close()
    assert piped.new_output() == "2.0 s in all: message 400, thread 2, 200 message/s\n"
    piped.progress.close()
    assert piped.new_output() == ""


def test_without_work_there_is_no_progress_line(piped: ProgressOutput) -> None:
    assert piped.after(60) == ""
    piped.progress.close()
    assert piped.new_output() == ""


def test_names_are_no_commands_to_a_terminal(shown: ProgressOutput) -> None:
    shown.progress.watch(lambda: "\x1b[31m\n\r")
    line = shown.after(1, **{"a\x1b]0;x\x07": 1})
    assert not set(line.removeprefix(WIPE)) & set("\x1b\r\n\x07")


def test_the_beat_ends_with_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    progress = StderrProgress()
    progress.count("x")
    assert any(thread.name == "progress" for thread in threading.enumerate())
    progress.close()
    assert not any(thread.name == "progress" for thread in threading.enumerate())
    progress.count("x")
    progress.close()
    assert capsys.readouterr().err.count("in all") == 2


def test_spans_are_for_people() -> None:
    assert [duration_text(n) for n in (0.4, 99, 100, 5900, 7200)] == [
        "0 s",
        "99 s",
        "2 min",
        "98 min",
        "2.0 h",
    ]


CLOUD = Options(
    service="azure-openai", key="k", state=ROOT / "fixtures/azure-v2", list_threads="works", latency=0.02
)


def call(cloud: Emulator, folder: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    env = {**os.environ, "AZURE_OPENAI_API_KEY": "k", "TERM": "xterm"}
    source = f"azure-openai+{cloud.url}"
    return [sys.executable, "-m", "migrate", "snapshot", source, "-o", str(folder / "e.db"), *more], env


@pytest.mark.slow
def test_a_pipe_gets_whole_lines_and_quiet_none(tmp_path: Path) -> None:
    with Emulator(CLOUD) as cloud:
        argv, env = call(cloud, tmp_path)
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, timeout=60)
        quiet = subprocess.run([*argv, "--quiet"], env=env, cwd=ROOT, capture_output=True, timeout=60)
    assert quiet.stderr == b""
    lines = done.stderr.decode().splitlines()
    assert re.fullmatch(r"[\d.]+ s in all: .*\d message/s.*", lines[-1])
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [False, True], ids=["to its end", "Ctrl-C"])
def test_a_terminal_gets_one_line_that_fits_and_goes(tmp_path: Path, stop: bool) -> None:
    import fcntl
    import termios

    with Emulator(CLOUD) as cloud:
        argv, env = call(cloud, tmp_path, "--workers", "1")
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 40, 0, 0))
        process = subprocess.Popen(
            argv,
            env=env,
            cwd=ROOT,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        seen = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    seen += os.read(ours, 4096)
                except OSError:
                    break
            if stop and seen.count(WIPE.encode()) == 3:
                process.send_signal(2)
                stop = False
        process.communicate(timeout=30)
        os.close(ours)
    text = seen.decode()
    pieces = text.split(WIPE)
    assert len(pieces) > 3
    for live in pieces[1:-1]:
        assert "\n" not in live
        assert len(live) <= 39
    assert not re.search(r"[\x1b\x07]", pieces[-1])
    assert pieces[-1].splitlines()[0].split()[1:4] == ["s", "in", "all:"]
