"""Runs the real commands between two emulated services, in this process or in one of their own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from migrate import cli
from migrate.emulator import Emulator, Options

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
KEYS = {"SOURCE_KEY": "secret-of-the-source", "TARGET_KEY": "secret-of-the-target"}
SILENT = dict.fromkeys(("ASSISTANTS_MIGRATE_CONFIG", "AZURE_OPENAI_API_KEY", "OPENAI_API_KEY"), "")
ENTRY = """[estates.{name}]
type = "{face}"
endpoint = "{url}"
api_version = "{version}"
key_env = "{name_upper}_KEY"
"""

Wrap = Callable[[Any], Any]


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def error(self, code: int, *words: str) -> str:
        """The message of an expected failure: three lines at most, in words, without a traceback."""
        assert self.code == code, f"exit {self.code}, not {code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err
        lines = self.err.strip().splitlines()
        assert [line for line in lines if line.startswith("error: ")], self.err
        told = lines[[line.startswith("error: ") for line in lines].index(True) :]
        assert len(told) <= 3, self.err
        assert all(line.startswith(("  why: ", "  next: ")) for line in told[1:]), self.err
        assert told[-1].startswith("  next: "), f"the user is not told what to do next:\n{self.err}"
        for word in words:
            assert word in self.err, f"{word!r} is not in:\n{self.err}"
        return self.err

    def ok(self, code: int = 0) -> Any:
        """The JSON document, after a look at the exit code."""
        assert self.code == code, f"exit {self.code}, not {code}\n{self.out[:4000]}\n{self.err}"
        assert "Traceback" not in self.err
        return json.loads(self.out) if self.out.strip() else None


@dataclass
class World:
    """A folder, a source, a target, and the program."""

    folder: Path
    source: Emulator
    target: Emulator
    env: dict[str, str] = field(default_factory=lambda: {**SILENT, **KEYS})

    @property
    def db(self) -> str:
        return str(self.folder / "estate.db")

    @property
    def plan(self) -> str:
        return str(self.folder / "plan.json")

    @property
    def config(self) -> Path:
        return self.folder / "estates.toml"

    def __call__(self, *arguments: str, stdin: str = "") -> Said:
        """A command with --json, in this process, as `python -m migrate` would run it."""
        return self.plain(*arguments, "--json", stdin=stdin)

    def plain(self, *arguments: str, stdin: str = "") -> Said:
        """A command as it is typed."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        argv = ["assistants-migrate", *arguments, "--config", str(self.config)]
        with ExitStack() as stack:
            stack.enter_context(patch.dict(os.environ, self.env))
            stack.enter_context(patch.object(sys, "argv", argv))
            stack.enter_context(patch.object(sys, "stdin", io.StringIO(stdin)))
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            try:
                cli.main()
            except SystemExit as done:
                code = int(done.code or 0)
        self.keeps_secrets(out.getvalue() + err.getvalue())
        return Said(code, out.getvalue(), err.getvalue())

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """A command in a process of its own, which can be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", "migrate", *arguments, "--config", str(self.config)],
            cwd=ROOT,
            env={**os.environ, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def alone(self, *arguments: str) -> Said:
        """A command in a process of its own, to its end."""
        process = self.popen(*arguments)
        out, err = process.communicate(timeout=60)
        return Said(process.returncode, out, err)

    def keeps_secrets(self, text: str) -> None:
        assert not [key for key in KEYS.values() if key in text], "a key was shown"

    def snapshot(self, *options: str, code: int = 0) -> Any:
        return self("snapshot", "source", "-o", self.db, *options).ok(code)

    def planned(self, *options: str, code: int = 0) -> Any:
        return self("plan", self.db, "target", "-o", self.plan, "--accept-loss", "all", *options).ok(code)

    def apply(self) -> Said:
        return self("apply", self.plan, "--yes")

    def configure(self, **changes: str) -> None:
        """Write the config file; `changes` replace versions: source_version, target_version."""
        texts = []
        for name, cloud in (("source", self.source), ("target", self.target)):
            default = "" if cloud.options.face == "openai" else "2025-03-01-preview"
            texts.append(
                ENTRY.format(
                    name=name,
                    face=cloud.options.face,
                    url=cloud.url,
                    name_upper=name.upper(),
                    version=changes.get(f"{name}_version", default),
                )
            )
        self.config.write_text("\n".join(texts), encoding="utf-8")


def options(key: str, state: str = "", face: str = "azure-openai", **others: Any) -> Options:
    """Of an emulated service; `state` is the name of one of the bundled estates."""
    return Options(
        face=face,  # type: ignore[arg-type]
        key=KEYS[key],
        state=FIXTURES / state if state else None,
        record=True,
        **{"ingestion_seconds": 0, **others},
    )


@contextmanager
def world(
    folder: Path,
    source: Options,
    target: Options | None = None,
    wrap_source: Wrap | None = None,
    wrap_target: Wrap | None = None,
    **versions: str,
) -> Iterator[World]:
    """Both services running, and a config file that names them `source` and `target`."""
    there = target or options("TARGET_KEY", face=source.face)
    with Emulator(source, wrap=wrap_source) as one, Emulator(there, wrap=wrap_target) as other:
        made = World(folder, one, other)
        made.configure(**versions)
        yield made
        only_read = {request.method for request in one.requests} <= {"GET"}
        assert only_read, "the source was written to"
    wait_for_threads()


def wait_for_threads() -> None:
    """No worker of a command may outlive it."""
    for thread in threading.enumerate():
        if thread.name.startswith(("crew", "hands")):
            thread.join(5)
            assert not thread.is_alive(), f"{thread.name} is still running"
