"""The tests on every Python that is found here: `make matrix`. Needs nothing but the standard library.

Looked for on PATH, among those of pyenv and of uv. Of each version (3.12, 3.13, 3.13 without its lock) the
newest patch is taken. Each has an environment of its own in .venv-matrix, which stays for the next run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLDEST = (3, 10)
# Time limit for an interpreter to print its version; the longest seen on a busy machine was 3 s.
ANSWER_TIMEOUT_S = 20
NAMES = re.compile(r"python(3(\.\d+t?)?)?(\.exe)?$")
SAYS = (
    "import sys, sysconfig; print(sys.implementation.name, *sys.version_info[:3], "
    "'t' if sysconfig.get_config_var('Py_GIL_DISABLED') else '')"
)
COUNTS = re.compile(r"\b(\d+) (passed|failed|errors?|skipped)\b")


@dataclass(frozen=True, order=True)
class Python:
    """One interpreter: its version, `t` where it is built without the global lock, and its file."""

    version: tuple[int, int, int]
    suffix: str
    file: str

    @property
    def name(self) -> str:
        """The version as it is usually written: 3.13.0, 3.13.0t."""
        return ".".join(map(str, self.version)) + self.suffix


@dataclass(frozen=True)
class Outcome:
    """The result of one run. `counts`: passed, failed, skipped; `seconds`: its duration."""

    python: Python
    code: int
    counts: dict[str, int]
    seconds: float


def on_path() -> Iterator[Path]:
    """Every file on PATH with the name of an interpreter."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and Path(folder).is_dir():
            yield from sorted(file for file in Path(folder).iterdir() if NAMES.match(file.name))


def of_pyenv() -> Iterator[Path]:
    """Every version that pyenv installed."""
    root = os.environ.get("PYENV_ROOT") or output_of(["pyenv", "root"]) or str(Path.home() / ".pyenv")
    yield from sorted(Path(root).glob("versions/*/bin/python"))


def of_uv() -> Iterator[Path]:
    """Every version that uv installed."""
    root = os.environ.get("UV_PYTHON_INSTALL_DIR") or output_of(["uv", "python", "dir"])
    if root:
        yield from sorted(Path(root).glob("*/bin/python3"))


def output_of(command: list[str]) -> str:
    """The output of a program, or '' where it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_pythons(files: Iterable[Path]) -> list[Python]:
    """The newest patch of each version from `OLDEST` on, oldest first. Others than CPython are left out."""
    newest: dict[tuple[int, int, str], Python] = {}
    for file in dict.fromkeys(map(str, files)):
        words = output_of([file, "-c", SAYS]).split()
        if len(words) < 4 or words[0] != "cpython":
            continue
        version = (int(words[1]), int(words[2]), int(words[3]))
        suffix = "".join(words[4:])
        held = newest.get((*version[:2], suffix))
        if version >= OLDEST and (held is None or held.version < version):
            newest[(*version[:2], suffix)] = Python(version, suffix, file)
    return sorted(newest.values())


def run(python: Python, arguments: list[str]) -> Outcome:
    """Run `make test` with every case, with one interpreter, and show its output at once."""
    began = time.monotonic()
    command = [
        os.environ.get("MAKE", "make"),
        "test",
        f"PYTHON={python.file}",
        f"VENV=.venv-matrix/{python.name}",
        "CASES=",
        f"ARGS={' '.join(arguments)}",
    ]
    counts: dict[str, int] = {}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as made:
        for line in made.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            if " in " in line and (numbers := COUNTS.findall(line)):
                counts = {word.removesuffix("s"): int(number) for number, word in numbers}
    return Outcome(python, made.returncode, counts, time.monotonic() - began)


def table(outcomes: Iterable[Outcome]) -> str:
    """One line for each Python."""
    lines = [f"{'Python':<10} {'result':<7} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}"]
    for one in outcomes:
        result, count = "ok" if one.code == 0 else "FAILED", one.counts.get
        failed = count("failed", 0) + count("error", 0)
        lines.append(
            f"{one.python.name:<10} {result:<7} {count('passed', 0):>7} "
            f"{failed:>7} {count('skipped', 0):>8} {one.seconds:>8.0f}"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """The exit code: 0 where all passed, 1 where one did not, 2 where no Python was found."""
    pythons = find_pythons([Path(sys.executable), *on_path(), *of_pyenv(), *of_uv()])
    if not pythons:
        sys.stderr.write("no Python from 3.10 on was found\n")
        return 2
    sys.stdout.write(f"found: {', '.join(python.name for python in pythons)}\n")
    outcomes = [run(python, arguments) for python in pythons]
    sys.stdout.write(f"\n{table(outcomes)}\n")
    return 0 if all(one.code == 0 for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
