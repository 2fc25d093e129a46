"""Run commands and services as child processes, and measure time, processor time and peak memory of a
command."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.service.protocol import COUNTS

ROOT = Path(__file__).parents[1]
# The key for every service of the benchmarks; none of them checks it.
SECRET = "benchmark"
# The unit of `ru_maxrss`.
MAXRSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


class CommandFailed(Exception):
    """A command ended with an unexpected exit code."""


@dataclass(frozen=True)
class Cost:
    """The cost of a process. `cpu`: seconds of processor time; `peak`: its largest resident set in bytes,
    as reported by wait4; `out`: its standard output."""

    seconds: float
    cpu: float
    peak: int
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, codes: tuple[int, ...] = (0,), cwd: Path = ROOT, certificate: str = "") -> Cost:
    """Run this interpreter with arguments and measure it. `codes`: the expected exit codes; `certificate`:
    a PEM file that the child trusts.

    On Linux the peak of a child starts with the peak of its parent. So this process must stay smaller than
    what it measures: it imports nothing large, and its own peak is part of the results."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=cwd, stdout=out, stderr=err, env=environment(certificate)
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        out_text, err_text = out.read().decode(), err.read().decode(errors="replace")
    if child.returncode not in codes:
        output = f"{out_text[-2000:]}\n{err_text[-2000:]}"
        raise CommandFailed(f"{' '.join(arguments)} ended with {child.returncode}\n{output}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_UNIT_BYTES, out_text)


def program(*arguments: str, codes: tuple[int, ...] = (0,), certificate: str = "") -> Cost:
    """Run a command of this program."""
    return run("-m", "migrate", *arguments, "--quiet", codes=codes, certificate=certificate)


def environment(certificate: str = "") -> Mapping[str, str]:
    """The environment of every process that is started: keys, and this checkout as the place of the
    program. Compiled modules are kept, as they are where the program is installed. `certificate`: a PEM
    file to trust."""
    trusted = {"SSL_CERT_FILE": certificate} if certificate else {}
    keys = dict.fromkeys(("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "FOUNDRY_TOKEN"), SECRET)
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **keys, **trusted, "PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    content: str = ""
    certificate: str = ""

    @property
    def address(self) -> str:
        """The address to give to the program; for Foundry that of a project."""
        return f"{self.url}/api/projects/demo" if self.content == "foundry" else self.url

    def counts(self) -> dict[str, Any]:
        """Requests by route, bytes sent, and seconds from the first to the last request, since the last
        call."""
        trusted = ssl.create_default_context(cafile=self.certificate) if self.certificate else None
        with urlopen(f"{self.url}{COUNTS}", context=trusted) as answer:
            counts: dict[str, Any] = json.load(answer)
        return {**counts, "total": sum(counts["requests"].values())}


@contextlib.contextmanager
def service(content: str, **options: object) -> Iterator[Service]:
    """A service in a process of its own: `generated`, or an empty `azure-openai` or `foundry`."""
    arguments_text = [f"--{name}={value}" for name, value in options.items()]
    with started("-m", "benchmarks.service", content, *arguments_text) as url:
        yield Service(url, content, str(options.get("certificate", "")))


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[str]:
    """Start a process that prints its address as its first line, and end it after the block."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, env=environment(), text=True
    )
    try:
        line = process.stdout.readline().strip() if process.stdout else ""
        if not line:
            raise CommandFailed(f"{' '.join(arguments)} did not start")
        yield line
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()
