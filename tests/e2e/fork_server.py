"""Kills the program at a chosen request."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.faults import Match, discard_answer
from tests.e2e.program_server import TIMEOUT_S, RunningProgram


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
    """Runs commands of the program that are killed, one after another. A context manager."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._env = dict(env)

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def killed(self, moment: KillPoint, *arguments: str, first: Callable[[], object] = lambda: None) -> None:
        """Run a command until the kill point and kill it there. `first` is called before the kill."""
        with self._log.open("wb") as log:
            program = RunningProgram(arguments, {**os.environ, **self._env}, log)
        try:
            assert moment.reached.wait(TIMEOUT_S), f"never asked:\n{self._log.read_text()}"
            first()
        finally:
            program.kill()
            status = program.wait()
        assert status == -signal.SIGKILL, self._log.read_text()
        assert "Traceback" not in self._log.read_text()
