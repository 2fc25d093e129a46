"""A command in, what it cost out: time, processor time and peak memory of that very process."""

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
# The key that every service here is given; none of them looks at it.
SECRET = "benchmark"
# What `ru_maxrss` counts in.
UNIT = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A command did not end as it should."""


@dataclass(frozen=True)
class Cost:
    """What a process cost. `peak` is its largest resident set in bytes, as wait4 tells it."""

    seconds: float
    cpu: float
    peak: int
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, codes: tuple[int, ...] = (0,), cwd: Path = ROOT, certificate: str = "") -> Cost:
    """Run this interpreter with arguments and wait for that very child.

    Linux lets a child begin with the peak of whoever started it, so this process must stay smaller than
    what it measures: it imports nothing large, and `own_peak` is told beside the results."""
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
        said, told = out.read().decode(), err.read().decode(errors="replace")
    if child.returncode not in codes:
        raise Failed(f"{' '.join(arguments)} ended with {child.returncode}\n{said[-2000:]}\n{told[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * UNIT, said)


def program(*arguments: str, codes: tuple[int, ...] = (0,), certificate: str = "") -> Cost:
    """Run a command of this program."""
    return run("-m", "migrate", *arguments, "--quiet", codes=codes, certificate=certificate)


def environment(certificate: str = "") -> Mapping[str, str]:
    """The environment of every process that is started: keys, and this checkout as the place of the
    program. Compiled modules are kept, as they are where the program is installed. `certificate`: a PEM
    file to trust."""
    trusted = {"SSL_CERT_FILE": certificate} if certificate else {}
    keys = dict.fromkeys(("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "FOUNDRY_TOKEN"), SECRET)
    others = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**others, **keys, **trusted, "PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    holds: str = ""
    certificate: str = ""

    @property
    def address(self) -> str:
        """The address to give to the program: of a project for Foundry."""
        return f"{self.url}/api/projects/demo" if self.holds == "foundry" else self.url

    def counts(self) -> dict[str, Any]:
        """Requests by route, bytes sent and seconds from the first to the last request, since last asked."""
        trusted = ssl.create_default_context(cafile=self.certificate) if self.certificate else None
        with urlopen(f"{self.url}{COUNTS}", context=trusted) as answer:
            told: dict[str, Any] = json.load(answer)
        return {**told, "total": sum(told["requests"].values())}


@contextlib.contextmanager
def service(holds: str, **options: object) -> Iterator[Service]:
    """A service in a process of its own: `generated`, or an empty `azure-openai` or `foundry`."""
    given = [f"--{name}={value}" for name, value in options.items()]
    with started("-m", "benchmarks.service", holds, *given) as url:
        yield Service(url, holds, str(options.get("certificate", "")))


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[str]:
    """A process that tells its address on its first line; ended with the block."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, env=environment(), text=True
    )
    try:
        line = process.stdout.readline().strip() if process.stdout else ""
        if not line:
            raise Failed(f"{' '.join(arguments)} did not start")
        yield line
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout:
            process.stdout.close()
