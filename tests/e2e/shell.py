"""Runs scripts of the documentation in bash, with the program and substitutes for other programs on PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrate.emulator import Emulator
from tests.e2e.program_server import program_command
from tests.e2e.running import KEYS, PROJECTS, ROOT, SILENT, CommandResult

SECRET = {key: variable for variable, key in KEYS.items()}


@dataclass
class Shell:
    """A folder with an estates.toml, and bash in it."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.put("assistants-migrate", f'#!/bin/sh\nexec {program_command()} "$@"\n')
        here = Path(sys.executable).parent
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "GITHUB_"))},
            **SILENT,
            **KEYS,
            **self.env,
            "PATH": os.pathsep.join([str(self.bin), str(here), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
        }

    @property
    def bin(self) -> Path:
        return self.folder.parent / f"{self.folder.name}-bin"

    def put(self, name: str, text: str) -> None:
        """Put a program of that name first on PATH."""
        self.bin.mkdir(exist_ok=True)
        path = self.bin / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def configure(self, clouds: Mapping[str, tuple[str, Emulator]], file: str = "estates.toml") -> None:
        """Write a config file with running services, each with its type."""
        texts = []
        for name, (type_, cloud) in clouds.items():
            auth = "token" if type_ in PROJECTS else "key"
            texts.append(
                f'[estates.{name}]\ntype = "{type_}"\nendpoint = "{cloud.url}"\nauth = "{auth}"\n'
                f'{auth}_env = "{SECRET[cloud.options.key]}"\n'
            )
        self.write(file, "\n".join(texts))

    def __call__(self, text: str, options: str = "-e", **env: str) -> CommandResult:
        """Run a script as its own file, as a CI system does."""
        path = self.bin / "script.sh"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["bash", *options.split(), str(path)],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def ok(self, text: str, **env: str) -> str:
        """Run a script that must end with 0; returns its output."""
        said = self(text, **env)
        assert said.code == 0, f"exit {said.code}\n{text}\n{said.out[-2000:]}\n{said.err}"
        return said.out

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")
