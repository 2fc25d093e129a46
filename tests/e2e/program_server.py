"""Runs the program without the time that its imports take: a process that has imported all of it forks one
child for each run.

A child has its own arguments, variables, folder, umask and standard streams, and is killed and signalled like
any process. What Python or an SDK reads when it is loaded is that of the server (`READ_AT_START`): a test of
such a variable starts an interpreter. The server has no threads: forking a process with threads is not safe.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO

from tests.e2e.program_client import NUMBER_BYTES, ask, read_number

ROOT = Path(__file__).parents[2]
# Variables that are read when Python or an SDK starts, not when a command runs.
READ_AT_START = ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG", "OPENAI_LOG")
IMPORTED = """openai.resources.beta azure.ai.projects azure.identity jinja2 yaml pydantic deepdiff uvicorn
    migrate.endpoints.azure_openai migrate.endpoints.openai_platform migrate.endpoints.foundry
    migrate.endpoints.foundry_classic migrate.archive.schema migrate.emulator migrate.cli.plan_inputs
    migrate.reports.formats.html migrate.reports.formats.markdown""".split()
TIMEOUT_S = 30.0


class RunningProgram:
    """A run of the program, with what `subprocess.Popen` has. `output`: the file for everything that it
    writes; None: two files that `communicate` returns."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], output: IO[bytes] | None = None
    ) -> None:
        changed = [name for name in READ_AT_START if env.get(name) != os.environ.get(name)]
        assert not changed, f"{changed} would have no effect: start an interpreter"
        self._captured = [] if output else [tempfile.TemporaryFile(), tempfile.TemporaryFile()]  # noqa: SIM115
        with Path(os.devnull).open("rb") as nothing:
            streams = [file.fileno() for file in (nothing, *(self._captured or [output, output]))]
            variables = {os.fsencode(name): os.fsencode(value) for name, value in env.items()}
            umask = os.umask(0o77)
            os.umask(umask)
            words = [os.fsencode(word) for word in arguments]
            self._server = ask(_address(), words, variables, os.fsencode(ROOT), umask, streams)
        self.pid = read_number(self._server)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, or None."""
        if self.returncode is None:
            self._server.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                self._end(read_number(self._server))
        return self.returncode

    def wait(self, timeout: float = TIMEOUT_S) -> int:
        """How it ended. Raises `TimeoutError` where it does not."""
        if self.returncode is None:
            self._server.settimeout(timeout)
            self._end(read_number(self._server))
        assert self.returncode is not None
        return self.returncode

    def _end(self, status: int) -> None:
        self.returncode = status
        self._server.close()

    def send_signal(self, number: int) -> None:
        """Send a signal, if it is still running."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float = TIMEOUT_S) -> tuple[str, str]:
        """Wait for its end; returns what it wrote."""
        self.wait(timeout)
        texts = []
        for file in self._captured:
            file.seek(0)
            texts.append(file.read().decode())
            file.close()
        self._captured = []
        out, err = texts
        return out, err


# ----------------------------------------------------------------------------------- one server for all tests


@dataclass
class _Server:
    address: bytes
    folder: tempfile.TemporaryDirectory[str]
    process: subprocess.Popen[bytes]


_running: list[_Server] = []


def _address() -> bytes:
    """The address of the server of this process, which the first call starts."""
    if not _running:
        folder = tempfile.TemporaryDirectory(prefix="am-")
        address = os.fsencode(Path(folder.name) / "s")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen(64)
        script = f"from tests.e2e.program_server import serve; serve({listener.fileno()})"
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
        listener.close()
        _running.append(_Server(address, folder, process))
    return _running[0].address


def program_command() -> str:
    """The words of a shell that run the program by the server of this process."""
    client = Path(__file__).with_name("program_client.py")
    return f"'{sys.executable}' -IS '{client}' '{os.fsdecode(_address())}'"


def end_server() -> None:
    """End the server of this process, if it was started."""
    while _running:
        server = _running.pop()
        server.process.communicate()  # it ends with its standard input
        server.folder.cleanup()


# --------------------------------------------------------------------------------------- in the server itself


@dataclass
class _Child:
    """A running child, and the connection to the one who asked for it."""

    pid: int
    asker: socket.socket
    ended: bool = False

    def look(self) -> None:
        """Say how it ended, if it has. It is a zombie until the asker has read that: its process id is not
        used again before, so that no other process can be killed."""
        found = None if self.ended else os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if found is not None:
            self.ended = True
            status = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
            _say(self.asker, status)

    def forget(self) -> None:
        """The asker has gone: end it if it still runs."""
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.asker.close()


def serve(listening: int) -> None:
    """Fork for every request, until standard input ends."""
    from migrate import cli

    for name in (*IMPORTED, *(f"migrate.cli.commands.{name}" for name in cli.COMMANDS)):
        import_module(name)
    gc.collect()
    gc.freeze()
    listener = socket.socket(fileno=listening)
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events = selectors.DefaultSelector()
    for number in (0, listening, woken):
        events.register(number, selectors.EVENT_READ)
    children: dict[int, _Child] = {}
    while True:
        for key, _ in events.select():
            if key.fd == 0:
                os._exit(0)
            elif key.fd == listening:
                asker, _ = listener.accept()
                child = _Child(_fork(asker, [woken, wakes, listening, *children]), asker)
                children[asker.fileno()] = child
                events.register(asker.fileno(), selectors.EVENT_READ)
            elif key.fd == woken:
                os.read(woken, 1_000)
                for child in children.values():
                    child.look()
            else:
                events.unregister(key.fd)
                children.pop(key.fd).forget()


def _fork(asker: socket.socket, others: Sequence[int]) -> int:
    """Fork a child that does what was asked; returns its process id."""
    length, streams, *_ = socket.recv_fds(asker, NUMBER_BYTES, 3)
    left, body = int.from_bytes(length, "big"), b""
    while len(body) < left:
        body += asker.recv(left - len(body))
    if pid := os.fork():
        _say(asker, pid)
        for number in streams:
            os.close(number)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for place, number in enumerate(streams):
            os.dup2(number, place)
        for number in (*streams, *others, asker.fileno()):
            os.close(number)
        code = _run(body)
    finally:
        os._exit(code)


def _say(asker: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # it has gone
        asker.sendall(b"%d\n" % number)


def _run(body: bytes) -> int:
    """Run the program in the child; returns its exit code."""
    from migrate import cli

    folder, umask, number, *words = body.split(b"\0")
    arguments, pairs = words[: int(number)], words[int(number) :]
    os.chdir(folder)
    os.umask(int(umask))
    os.environb.clear()
    os.environb.update(pair.partition(b"=")[::2] for pair in pairs)
    time.tzset()
    sys.argv = ["assistants-migrate", *map(os.fsdecode, arguments)]
    code: object = 0
    try:
        cli.main()
    except SystemExit as done:
        code = done.code
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else 0
