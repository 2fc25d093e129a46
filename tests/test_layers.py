"""The layers: which folder may import which, and what must not be loaded for `--help`."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.archive.filling import filled

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "migrate").rglob("*.py"))

MAY_IMPORT = {  # besides itself
    "__init__": "",
    "__main__": "__init__ cli",
    "errors": "__init__",
    "files": "__init__ errors",
    "model": "__init__ errors",
    "codecs": "__init__ errors model",
    "endpoints": "__init__ errors model codecs",
    "archive": "__init__ errors files model",
    "reports": "__init__ errors model",
    "stages": "__init__ errors files model codecs archive",
    "serve": "__init__ errors files model codecs archive reports stages",
    "mcp": "__init__ errors files model codecs archive reports stages",
    "cli": "__init__ errors files model codecs endpoints archive reports stages serve mcp emulator",
    "emulator": "",
}
TYPES_ONLY = {
    "stages": "migrate.endpoints.interface"
}  # an endpoint is an argument: only its interface is known
ONLY_IN = {
    "openai": "endpoints",
    "azure": "endpoints",
    "httpx2": "endpoints",
    "sqlite3": "archive",
    "sqlite_utils": "archive",
    "mcp": "mcp",
}
SLOW = {"openai", "azure", "starlette", "uvicorn", "deepdiff", "jinja2", "markdown_it", "mcp", "rich"}
# Packages that must not be loaded for listing a small archive.
LATE = SLOW | {"pydantic", "pydantic_core", "sqlite_utils", "yaml", "tomllib", "tomli", "httpx2", "asyncio"}

Import = tuple[int, str, bool, bool]  # line, dotted name, inside a function, for type checking only


def layer(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").parts[1]


def imports(file: Path) -> Iterator[Import]:
    package = file.relative_to(ROOT).parent.parts

    def visit(node: ast.AST, inside: bool, typing: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, inside, typing) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            start = ".".join(filter(None, (above, node.module)))
            yield from ((node.lineno, f"{start}.{alias.name}", inside, typing) for alias in node.names)
        inside |= isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        guarded = node.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) else []
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside, typing or child in guarded)

    yield from visit(ast.parse(file.read_text(encoding="utf-8")), inside=False, typing=False)


def complaints(file: Path) -> Iterator[str]:
    here = layer(file)
    for line, name, inside, typing in imports(file):
        top, *rest = name.split(".")
        there = rest[0] if rest and rest[0] in MAY_IMPORT else "__init__"
        if typing and name.startswith(TYPES_ONLY.get(here, "\0")):
            continue
        if top == "migrate" and there != here and there not in MAY_IMPORT[here].split():
            yield f"line {line}: {here} must not import {name}"
        if top in ONLY_IN and here != ONLY_IN[top]:
            yield f"line {line}: {top} belongs to {ONLY_IN[top]} alone"
        if here == "cli" and top in SLOW and not inside and not typing:
            yield f"line {line}: import {top} where it is needed, or every command waits for it"


def test_imports_go_one_way() -> None:
    assert len(FILES) > 100
    unknown = {layer(file) for file in FILES} - MAY_IMPORT.keys()
    assert not unknown, "a new layer needs its row in MAY_IMPORT and in docs/architecture.md"
    found = [f"{file.relative_to(ROOT)}: {line}" for file in FILES for line in complaints(file)]
    assert not found, "\n".join(found)


def test_an_import_of_a_lower_layer_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "migrate" / "model" / "kinds.py"
    file.parent.mkdir(parents=True)
    file.write_text("import sqlite3\n\n\ndef f():\n    from migrate.cli import main\n", encoding="utf-8")
    assert list(complaints(file)) == [
        "line 1: sqlite3 belongs to archive alone",
        "line 5: model must not import migrate.cli.main",
    ]


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_no_import_leads_back_to_its_module() -> None:
    """Imports inside functions count too: they can also close a cycle."""
    names = {module_name(file) for file in FILES}
    graph: dict[str, set[str]] = {}
    for file in FILES:
        for _, name, _, typing in imports(file):
            imported = name if name in names else name.rpartition(".")[0]
            if imported in names and not typing and imported != module_name(file):
                graph.setdefault(module_name(file), set()).add(imported)
    TopologicalSorter(graph).prepare()  # raises CycleError, which shows the cycle


def loaded(*start: str) -> set[str]:
    """The packages that are loaded when the interpreter is started in this way."""
    # Where coverage is measured it would be loaded too, with what it needs itself.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-X", "importtime", *start]
    run = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True)
    timed = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    assert run.returncode == 0, run.stderr.rpartition(timed[-1])[2]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in timed}


@pytest.mark.parametrize("start", [["-c", "import migrate.cli"], ["-m", "migrate", "--help"]], ids=" ".join)
def test_help_loads_nothing_slow(start: list[str]) -> None:
    found = loaded(*start)
    assert "migrate" in found
    assert not found & (LATE | {"sqlite3", "tempfile", "hashlib"})


def test_ls_loads_nothing_but_what_reads_an_archive(tmp_path: Path) -> None:
    filled(tmp_path / "small.db")
    found = loaded("-m", "migrate", "ls", str(tmp_path / "small.db"))
    assert {"migrate", "sqlite3"} <= found
    assert not found & LATE
