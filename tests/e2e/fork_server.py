"""Kills the program at a chosen request. A process with all imports loaded forks one child per command.

A new interpreter needs a second for its imports, a fork of this process needs none. It is a separate process
without threads, because forking a process with threads is not safe.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.faults import Match, discard_answer

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 30.0


@dataclass
class KillPoint:
    """An ASGI application in front of a service. The chosen request is carried out, and its answer is held
    back until the client has been killed."""

    fits: Match
    # Number of the request at which the program is killed, counted from 1; 0: never.
    at: int = 0
    # Whether that request is still carried out. If not, the request is lost, not only its answer.
    done: bool = True
    asked: list[str] = field(default_factory=list)
    # Those of the requests that were answered with success.
    answered: list[str] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)

    def set(self, at: int, done: bool = True) -> None:
        self.asked.clear()
        self.answered.clear()
        self.reached.clear()
        self.at, self.done = at, done

    def _noting(self, asked: str, send: Any) -> Any:
        async def noted(message: Any) -> None:
            if message.get("status", 500) < 400:
                self.answered.append(asked)
            await send(message)

        return noted

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            if not self.fits(scope["method"], scope["path"], scope["query_string"].decode()):
                await app(scope, receive, send)
                return
            self.asked.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}")
            if len(self.asked) != self.at:
                await app(scope, receive, self._noting(self.asked[-1], send))
                return
            if self.done:
                await app(scope, receive, discard_answer)
            self.reached.set()
            while (await receive())["type"] != "http.disconnect":
                pass

        return wrapped


class ForkServer:
    """The process that forks, started before the first kill. A context manager."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._env = dict(env)
        self._started: subprocess.Popen[str] | None = None

    def __enter__(self) -> ForkServer:
        return self

    @property
    def _process(self) -> subprocess.Popen[str]:
        if self._started is None:
            self._started = self._start()
        return self._started

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.fork_server", str(self._log)],
            cwd=ROOT,
            env={**os.environ, **self._env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __exit__(self, *_: object) -> None:
        if self._started is None:
            return
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.stdout.close()  # type: ignore[union-attr]
        self._process.wait(TIMEOUT_S)

    def killed(self, moment: KillPoint, *arguments: str, first: Callable[[], object] = lambda: None) -> None:
        """Run a command until the kill point and kill it there. `first` is called before the kill."""
        pid = self._begun(arguments)
        try:
            assert moment.reached.wait(TIMEOUT_S), f"never asked:\n{self._log.read_text()}"
            first()
        finally:
            os.kill(pid, signal.SIGKILL)
            status = self._line()
        assert status == -signal.SIGKILL, self._log.read_text()
        assert "Traceback" not in self._log.read_text()

    def _begun(self, arguments: Sequence[str]) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def serve(log: str) -> None:
    """Fork for every line of stdin: the arguments of a command."""
    import openai.resources.beta
    from azure.ai import projects

    from migrate import cli, codecs, endpoints
    from migrate.cli import plan_inputs
    from migrate.cli.commands import apply as commands_apply
    from migrate.cli.commands import rollback as commands_rollback
    from migrate.cli.commands import snapshot as commands_snapshot
    from migrate.endpoints import azure_openai, foundry, foundry_classic, openai_platform
    from migrate.stages.apply import run as apply_run
    from migrate.stages.rollback import run as rollback_run
    from migrate.stages.snapshot import run as snapshot_run

    del openai, projects, codecs, endpoints, plan_inputs, apply_run, rollback_run, snapshot_run
    del commands_apply, commands_rollback, commands_snapshot
    del azure_openai, foundry, foundry_classic, openai_platform
    pid = 0
    for line in sys.stdin:
        if pid:
            os.waitpid(pid, 0)
        if not (pid := os.fork()):
            with Path(log).open("w") as out:
                os.dup2(out.fileno(), 1)
                os.dup2(out.fileno(), 2)
                sys.argv = ["assistants-migrate", *json.loads(line)]
                code: object = 1
                try:
                    cli.main()
                except SystemExit as done:
                    code = done.code
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(code if isinstance(code, int) else 0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        # The process id is not reused before the child was waited for: no other process can be killed.
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        sys.stdout.write(f"{ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
