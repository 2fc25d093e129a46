"""The first Ctrl-C stops a command, the second one says what it waits for, the third one ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from migrate.__main__ import INTERRUPTED_EXIT_CODE
from migrate.cli.interruption import ONE_STOP_S, STOPPED_EXIT_CODE, StopSignals, stop_signals

ROOT = Path(__file__).parents[2]


class Ended(Exception):
    """Raised in place of the end of this process."""


def test_three_presses(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        raise Ended

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(os, "_exit", end)
    signals = StopSignals()
    with pytest.raises(KeyboardInterrupt):
        signals.handle(signal.SIGINT, None)
    now += ONE_STOP_S / 2
    signals.handle(signal.SIGTERM, None)
    assert capfd.readouterr().err == "", "it is the same stop"
    now += ONE_STOP_S
    signals.handle(signal.SIGINT, None)
    assert "once more ends at once" in capfd.readouterr().err
    now += ONE_STOP_S
    with pytest.raises(Ended):
        signals.handle(signal.SIGINT, None)
    assert codes == [STOPPED_EXIT_CODE]


def test_handlers_are_as_before_afterwards() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    with stop_signals():
        assert all(signal.getsignal(number) not in before for number in numbers)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_signals():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_changed() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def look() -> None:
        with stop_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_word(tmp_path: Path) -> None:
    """In place of a library that is slow to load stands a module that says so, and waits."""
    (tmp_path / "click.py").write_text('import time\nprint("loading", flush=True)\ntime.sleep(60)\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", "snapshots", "estate.db"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == INTERRUPTED_EXIT_CODE


def test_the_installed_command_begins_there_too() -> None:
    assert 'assistants-migrate = "migrate.__main__:start_program"' in (ROOT / "pyproject.toml").read_text()
