"""House rules that can be checked: sizes, names, first sentences, printing, forbidden texts."""

from __future__ import annotations

import ast
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from functools import cache
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
# Written in halves, so that this file passes its own test.
HOSTS = ("pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "deb." + "debian.org")
PATHS = ("work", "root", "home", "Users")
FORBIDDEN = re.compile("|".join([*map(re.escape, HOSTS), rf"(?<![\w.~%*-])/(?:{'|'.join(PATHS)})/\w"]))


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def our_files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [n for n in folders if Path(folder, n) not in MADE and not n.endswith(("_cache", "__"))]
        yield from (Path(folder, name) for name in names if Path(folder, name) not in MADE)


def too_long(module: Path) -> Iterator[str]:
    lines = len(module.read_text(encoding="utf-8").splitlines())
    if lines > 400:
        yield f"{lines} lines; one idea per file: what is the second idea here?"


def without_a_sentence(module: Path) -> Iterator[str]:
    lines = len(module.read_text(encoding="utf-8").splitlines())
    if lines > 5 and not ast.get_docstring(tree(module)):
        yield "begin with one sentence: what comes in, what goes out"


def named_after_nothing(module: Path) -> Iterator[str]:
    for part in module.relative_to(ROOT).parts:
        if SAYS_NOTHING.fullmatch(part):
            yield f"{part}: name it after the idea it holds"


def long_functions(module: Path) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            size = (node.end_lineno or 0) - node.lineno + 1
            if size > 60:
                yield f"{node.name} has {size} lines: split it, or turn its branches into a table"


def prints(module: Path) -> Iterator[str]:
    if "cli" in module.relative_to(ROOT).parts[1:2]:
        return
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Name) and node.id == "print":
            yield f"line {node.lineno}: return a report and let cli show it"


@pytest.mark.parametrize(
    "rule",
    [too_long, without_a_sentence, named_after_nothing, long_functions, prints],
    ids=lambda r: r.__name__,
)
def test_every_module_keeps_the_house_rules(rule: Callable[[Path], Iterator[str]]) -> None:
    assert len(MODULES) > 100
    found = [f"{module.relative_to(ROOT)}: {line}" for module in MODULES for line in rule(module)]
    assert not found, "\n".join(found)


def test_every_house_rule_finds_what_breaks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    module = tmp_path / "migrate" / "utils.py"
    module.parent.mkdir()
    module.write_text("def f():\n" + "    print(1)\n" * 401, encoding="utf-8")
    seen = [next(rule(module), "") for rule in (too_long, without_a_sentence, named_after_nothing)]
    seen += [next(rule(module), "") for rule in (long_functions, prints)]
    assert all(seen), seen


def test_no_file_names_a_package_host_or_a_path_of_one_machine() -> None:
    found = []
    for file in our_files():
        text = file.read_bytes().decode("utf-8", errors="replace")
        found += [f"{file.relative_to(ROOT)}: {hit[0]}" for hit in FORBIDDEN.finditer(text)]
    assert not found


def test_a_test_reaches_no_address_that_is_not_allowed() -> None:
    # Loopback, but not on the list: without the guard the attempt still stays on this machine.
    with socket.socket() as other, pytest.raises(SocketConnectBlockedError):
        other.connect(("127.0.0.2", 9))


NOT_OURS = {"log", "prepare_connection"}  # a logger in each module; a name that plugins must have


def test_each_public_name_exists_once() -> None:
    """Functions, classes and constants at the top of modules. The emulator may share names with the rest."""
    found: dict[str, list[str]] = {}
    for module in MODULES:
        if "emulator" in module.relative_to(ROOT).parts:
            continue
        for name in public_names(tree(module)):
            found.setdefault(name, []).append(str(module.relative_to(ROOT)))
    assert "plan_move" in found
    assert not {name: files for name, files in found.items() if len(files) > 1 and name not in NOT_OURS}


def public_names(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        names: list[str] = []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from (name for name in names if not name.startswith("_"))
