"""Shell completion: the commands of the guide print a script, which completes commands and options."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
SHELLS = ("bash", "zsh", "fish")
LINES = {
    shell: line
    for line in GUIDE.splitlines()
    for shell in re.findall(r"_ASSISTANTS_MIGRATE_COMPLETE=(\w+)_source assistants-migrate", line)
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH that contains the program under its own name, as after an installation."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "assistants-migrate"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from migrate.cli import main\nmain()\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return os.pathsep.join((str(folder), "/usr/bin", "/bin"))


def called(path: str, *command: str, **variables: str) -> str:
    done = subprocess.run(
        command, env={"PATH": path, **variables}, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_the_guide_has_a_line_for_each_shell() -> None:
    assert tuple(LINES) == SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_generated(shell: str, path: str) -> None:
    script = called(path, "assistants-migrate", _ASSISTANTS_MIGRATE_COMPLETE=f"{shell}_source")
    assert f"_ASSISTANTS_MIGRATE_COMPLETE={shell}_complete" in script
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=script, text=True, check=True, timeout=60)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_program_completes_a_command(shell: str, path: str) -> None:
    """Call the program as the script does: words and position in variables. fish passes the unfinished word
    as position."""
    at = "transc" if shell == "fish" else "1"
    answer = called(
        path, "assistants-migrate", _ASSISTANTS_MIGRATE_COMPLETE=f"{shell}_complete",
        COMP_WORDS="assistants-migrate transc", COMP_CWORD=at,
    )  # fmt: skip
    assert "transcript" in answer
    assert "snapshot" not in answer


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (("assistants-migrate", "transc"), ["transcript"]),
        (("assistants-migrate", "snapshot"), ["snapshot", "snapshots"]),
        (("assistants-migrate", "snapshot", "--worke"), ["--workers"]),
    ],
)
def test_bash_completes_after_the_line_of_the_guide(
    words: tuple[str, ...], completed: list[str], path: str
) -> None:
    typed = " ".join(words)
    script = (
        f"{LINES['bash']}\nCOMP_WORDS=({typed}) COMP_CWORD={len(words) - 1}\n"
        '_assistants_migrate_completion assistants-migrate\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    assert called(path, "bash", "--norc", "-c", script).split() == completed


def test_commands_are_completed_without_loading_them(path: str) -> None:
    script = (
        "import sys\nfrom migrate.cli import COMMANDS, program\nimport click\n"
        "found = program.shell_complete(click.Context(program), '')\n"
        "assert {item.value for item in found} >= set(COMMANDS)\n"
        "print([name for name in sys.modules if name.startswith('migrate.cli.commands.')])\n"
    )
    assert called(path, sys.executable, "-c", script, PYTHONPATH=str(ROOT)).strip() == "[]"
