"""The house rules that can be counted: sizes, names, first sentences, who prints, what is never named."""

from __future__ import annotations

import ast
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "migrate").rglob("*.py"))
MADE = {
    ROOT / name
    for name in (".git", ".venv", ".venv-lock", ".venv-matrix", ".hypothesis", "demo", "build", "dist")
}
SAYS_NOTHING = re.compile(r"(utils?|helpers?|common|manager|misc)(\.\w+)?$")
# Spelled in halves, so that this file passes its own test.
HOSTS = ("pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "deb." + "debian.org")
PATHS = ("work", "root", "home", "Users")
FORBIDDEN = re.compile("|".join([*map(re.escape, HOSTS), rf"(?<![\w.~%*-])/(?:{'|'.join(PATHS)})/\w"]))

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def our_files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [n for n in folders if Path(folder, n) not in MADE and not n.endswith(("_cache", "__"))]
        yield from (Path(folder, name) for name in names if Path(folder, name) not in MADE)


@each_module
def test_a_module_is_short_and_says_what_it_is(module: Path) -> None:
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, "one idea per file: what is the second idea here?"
    assert lines <= 5 or ast.get_docstring(tree(module)), (
        "begin with one sentence: what comes in, what goes out"
    )


@each_module
def test_a_name_says_something(module: Path) -> None:
    bad = [part for part in module.relative_to(ROOT).parts if SAYS_NOTHING.fullmatch(part)]
    assert not bad, "name it after the idea it holds"


@each_module
def test_a_function_fits_a_screen(module: Path) -> None:
    functions = (n for n in ast.walk(tree(module)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    long = {f.name: size for f in functions if (size := (f.end_lineno or 0) - f.lineno + 1) > 60}
    assert not long, "split it, or turn its branches into a table"


@each_module
def test_only_the_cli_prints(module: Path) -> None:
    if "cli" in module.relative_to(ROOT).parts[1:2]:
        return
    loud = [n.lineno for n in ast.walk(tree(module)) if isinstance(n, ast.Name) and n.id == "print"]
    assert not loud, "return a report and let cli show it"


def test_no_file_names_a_package_host_or_a_path_of_one_machine() -> None:
    found = []
    for file in our_files():
        text = file.read_bytes().decode("utf-8", errors="replace")
        found += [f"{file.relative_to(ROOT)}: {hit[0]}" for hit in FORBIDDEN.finditer(text)]
    assert not found


def test_a_test_reaches_no_address_that_is_not_allowed() -> None:
    # Loopback, yet not on the list: should the guard be missing, the attempt still stays on this machine.
    with socket.socket() as other, pytest.raises(SocketConnectBlockedError):
        other.connect(("127.0.0.2", 9))
