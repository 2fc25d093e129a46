"""Runs the real commands between two emulated services, in this process or in a child process."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from migrate import cli
from migrate.emulator import Emulator, Estate, Options
from tests.e2e.program_server import RunningProgram

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
KEYS = {"SOURCE_KEY": "secret-of-the-source", "TARGET_KEY": "secret-of-the-target"}
SILENT = dict.fromkeys(
    ("ASSISTANTS_MIGRATE_CONFIG", "AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "FOUNDRY_TOKEN"), ""
)
ENTRY = """[estates.{name}]
type = "{type}"
endpoint = "{url}"
api_version = "{version}"
auth = "{auth}"
{auth}_env = "{variable}"
"""
# Types of service that are APIs of a project. Both use a token to sign in.
PROJECTS = ("foundry-classic", "foundry")
# Paths of the newer generation of a project. Every other path belongs to the older one.
NEW_PATHS = re.compile(r"/api/projects/demo/(agents|openai/v1)/")

Wrap = Callable[[Any], Any]


@dataclass(frozen=True)
class CommandResult:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def error(self, code: int, *words: str) -> str:
        """Check an expected failure and return its message: at most three lines, no traceback."""
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
        """Check the exit code and return the JSON document."""
        assert self.code == code, f"exit {self.code}, not {code}\n{self.out[:4000]}\n{self.err}"
        assert "Traceback" not in self.err
        return json.loads(self.out) if self.out.strip() else None


@dataclass
class World:
    """A folder, a source, a target, and the program. Source and target may be one service."""

    folder: Path
    source: Emulator
    target: Emulator
    types: tuple[str, str] = ("", "")
    # A copy of the first state, where source and target are one service, which changes.
    began: Estate | None = None
    env: dict[str, str] = field(default_factory=lambda: {**SILENT, **KEYS})

    @property
    def here(self) -> Estate:
        """The source, or its first state where it is the target as well."""
        return self.began or self.source.estate

    def begin(self) -> None:
        """Copy the present state if the source will change."""
        if self.source is self.target:
            self.began = Estate(**copied(self.source.estate))

    @property
    def db(self) -> str:
        return str(self.folder / "estate.db")

    @property
    def plan(self) -> str:
        return str(self.folder / "plan.json")

    @property
    def config(self) -> Path:
        return self.folder / "estates.toml"

    def __call__(self, *arguments: str, stdin: str = "") -> CommandResult:
        """A command with --json, in this process, as `python -m migrate` would run it."""
        return self.plain(*arguments, "--json", stdin=stdin)

    def plain(self, *arguments: str, stdin: str = "") -> CommandResult:
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
        return CommandResult(code, out.getvalue(), err.getvalue())

    def popen(self, *arguments: str) -> RunningProgram:
        """Start a command in its own process, which can be killed."""
        return RunningProgram([*arguments, "--config", str(self.config)], {**os.environ, **self.env})

    def alone(self, *arguments: str) -> CommandResult:
        """Run a command in its own interpreter to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "migrate", *arguments, "--config", str(self.config)],
            cwd=ROOT,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def keeps_secrets(self, text: str) -> None:
        assert not [key for key in KEYS.values() if key in text], "a key was shown"

    def snapshot(self, *options: str, code: int = 0) -> Any:
        return self("snapshot", "source", "-o", self.db, *options).ok(code)

    def planned(self, *options: str, code: int = 0) -> Any:
        return self("plan", self.db, "target", "-o", self.plan, "--accept-loss", "all", *options).ok(code)

    def apply(self) -> CommandResult:
        return self("apply", self.plan, "--yes")

    def configure(
        self,
        models: Mapping[str, str] | None = None,
        connections: Mapping[str, str] | None = None,
        **changes: str,
    ) -> None:
        """Write the config file; `changes` replace versions: source_version, target_version."""
        texts = []
        for name, cloud, type_ in zip(
            ("source", "target"), (self.source, self.target), self.types, strict=True
        ):
            texts.append(
                ENTRY.format(
                    name=name,
                    type=type_,
                    url=cloud.url,
                    version=changes.get(f"{name}_version", VERSIONS.get(type_, "")),
                    auth="token" if type_ in PROJECTS else "key",
                    variable=next(variable for variable, key in KEYS.items() if key == cloud.options.key),
                )
            )
        for title, names in (("models", models), ("connections", connections)):
            rows = [f'"{old}" = "{new}"\n' for old, new in (names or {}).items()]
            texts.append(f"[{title}]\n{''.join(rows)}")
        self.config.write_text("\n".join(texts), encoding="utf-8")

    def writes(self, before: int = 0) -> list[str]:
        """Requests to the target, from number `before` on, that could change something."""
        asked = (r for r in self.target.requests[before:] if r.method != "GET")
        return [f"{r.method} {r.path}" for r in asked]

    def touched(self) -> list[str]:
        """Requests to the source that could have changed it."""
        asked = [f"{r.method} {r.path}" for r in self.source.requests if r.method != "GET"]
        shared, newer = self.source is self.target, self.types[0] == "foundry"
        if shared and len({*self.types}) == 1:
            return []  # the place is restored into itself
        return [line for line in asked if not (shared and bool(NEW_PATHS.search(line)) is not newer)]


def copied(estate: Estate) -> dict[str, Any]:
    """A copy of the fields of an estate. Bytes, and what is no data, are shared with the original."""
    fields = {k: v if callable(v) or k == "content" else deepcopy(v) for k, v in vars(estate).items()}
    return {**fields, "content": dict(estate.content)}


VERSIONS = {"azure-openai": "2025-03-01-preview"}


def options(key: str, state: str = "", service: str = "azure-openai", **others: Any) -> Options:
    """Options of an emulated service. `state`: the name of a bundled estate."""
    return Options(
        service=service,  # type: ignore[arg-type]
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
    types: tuple[str, str] | None = None,
    **versions: str,
) -> Iterator[World]:
    """Run both services, with a config file that defines them as `source` and `target`. `types` are needed
    for a project, which has two types. The same options twice start one service."""
    there = target or options("TARGET_KEY", service=source.service)
    with ExitStack() as stack:
        one = stack.enter_context(
            Emulator(source, wrap=wrap_source or (wrap_target if there is source else None))
        )
        other = one if there is source else stack.enter_context(Emulator(there, wrap=wrap_target))
        made = World(folder, one, other, types or (source.service, there.service))
        made.begin()
        made.configure(**versions)
        yield made
        assert made.touched() == [], "the source was written to"
    wait_for_threads()


def wait_for_threads() -> None:
    """Check that no worker thread of a command is left."""
    for thread in threading.enumerate():
        if thread.name.startswith(("pool-worker", "parallel-worker")):
            thread.join(5)
            assert not thread.is_alive(), f"{thread.name} is still running"
