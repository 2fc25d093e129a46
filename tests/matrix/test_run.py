"""`make matrix` finds every Python that can run this program, once, and reports the result of each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.matrix import run as matrix
from tests.matrix.run import Outcome, Python, find_pythons, table

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")


def stand_in(place: Path, says: str, code: int = 0) -> Path:
    """A program that prints a version as an interpreter does."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    place.chmod(0o755)
    return place


@POSIX
def test_the_newest_patch_of_each_version_is_taken(tmp_path: Path) -> None:
    files = [
        stand_in(tmp_path / "a" / "python3", "cpython 3 12 1"),
        stand_in(tmp_path / "b" / "python3", "cpython 3 12 9"),
        stand_in(tmp_path / "c" / "python3", "cpython 3 9 18"),
        stand_in(tmp_path / "d" / "python2", "cpython 2 7 18"),
        stand_in(tmp_path / "e" / "python3", "cpython 3 15 0"),
        stand_in(tmp_path / "f" / "python3", "cpython 3 13 0 t"),
        stand_in(tmp_path / "g" / "python3", "cpython 3 13 0"),
        stand_in(tmp_path / "h" / "python3", "pypy 3 11 2"),
        stand_in(tmp_path / "i" / "python3", "cpython 3 11 7", code=127),
        tmp_path / "nothing",
    ]
    assert [python.name for python in find_pythons(files)] == ["3.12.9", "3.13.0", "3.13.0t", "3.15.0"]


@POSIX
def test_path_pyenv_and_uv_are_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = stand_in(tmp_path / "bin" / "python3.12", "cpython 3 12 1")
    stand_in(tmp_path / "bin" / "python3.12-config", "")
    stand_in(tmp_path / "bin" / "pythonw", "")
    pyenv = stand_in(tmp_path / "pyenv" / "versions" / "3.10.13" / "bin" / "python", "cpython 3 10 13")
    uv = stand_in(tmp_path / "uv" / "cpython-3.14" / "bin" / "python3", "cpython 3 14 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    assert (list(matrix.on_path()), list(matrix.of_pyenv()), list(matrix.of_uv())) == (
        [on_path],
        [pyenv],
        [uv],
    )


@POSIX
def test_one_that_fails_makes_the_whole_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make = tmp_path / "make"
    make.write_text(
        '#!/bin/sh\ncase "$*" in *3.12*) echo "1 failed, 7 passed in 2.00s"; exit 2;; esac\n'
        'echo "8 passed, 1 skipped in 2.00s"\n'
    )
    make.chmod(0o755)
    monkeypatch.setenv("MAKE", str(make))
    pythons = [Python((3, 11, 7), "", "python3.11"), Python((3, 12, 1), "", "python3.12")]
    monkeypatch.setattr(matrix, "find_pythons", lambda files: pythons)
    assert matrix.main(["tests/model"]) == 1
    said = capsys.readouterr().out.splitlines()[-2:]
    assert said[0].split()[:5] == ["3.11.7", "ok", "8", "0", "1"]
    assert said[1].split()[:5] == ["3.12.1", "FAILED", "7", "1", "0"]
    monkeypatch.setattr(matrix, "find_pythons", lambda files: pythons[:1])
    assert matrix.main([]) == 0
    monkeypatch.setattr(matrix, "find_pythons", lambda files: [])
    assert matrix.main([]) == 2


def test_this_very_python_is_found() -> None:
    assert [python.version for python in find_pythons([Path(sys.executable)])] == [sys.version_info[:3]]


def test_a_run_that_ended_before_any_test_is_shown() -> None:
    shown = table([Outcome(Python((3, 12, 1), "", "python3.12"), 1, {}, 1.0)])
    assert shown.splitlines()[1].split() == ["3.12.1", "FAILED", "0", "0", "0", "1"]
