"""Config directories: exported by the program, or written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Launch
from tests.e2e.running import World, options

# Bundled estate -> service of the emulator, type of estate.
STATES = {
    "openai-v2": ("openai", "openai"),
    "azure-v1": ("azure-openai", "azure-openai"),
    "azure-v2": ("azure-openai", "azure-openai"),
    "foundry-classic": ("foundry", "foundry-classic"),
    "foundry": ("foundry", "foundry"),
}


def bundled(launch: Launch, state: str) -> World:
    """A bundled estate and an empty target of the same type that has its models and connections."""
    service, type_ = STATES[state]
    source = options("SOURCE_KEY", state, service, downloads=True)
    target = options("TARGET_KEY", service=service, downloads=True)
    return launch(source, target, types=(type_, type_))


def itself(launch: Launch, state: str) -> World:
    """A bundled estate that is source and target at the same time, as after an export of a directory."""
    service, type_ = STATES[state]
    source = options("SOURCE_KEY", state, service, downloads=True)
    return launch(options("TARGET_KEY", service=service), source, types=(type_, type_))


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a directory, by its path in it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def write(folder: Path, texts: Mapping[str, str]) -> str:
    """Write the files of a directory."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return str(folder)


def edit(path: Path, old: str, new: str) -> None:
    """Change one word of a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def plan(world: World, folder: str, *more: str, code: int = 0) -> Any:
    """A plan from a directory for the target."""
    return world("plan", folder, "target", "-o", world.plan, *more).ok(code)
