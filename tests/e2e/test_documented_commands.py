"""Every command in the documentation is run as it is written, or is listed with the reason why not."""

from __future__ import annotations

import ast
import csv
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrate.archive.packs import register_sql_functions
from tests.commands import PAGES, ROOT, SHELL, Block, Command, blocks
from tests.e2e.running import CommandResult
from tests.e2e.shell import Shell
from tests.recipes import PAGES as RECIPES
from tests.recipes import blocks as recipe_blocks
from tests.recipes import script, steps

# Page and first words of a block -> why the block is not run.
NOT_RUN = {
    (
        "docs/guide.md",
        'eval "$(_ASSISTANTS',
    ): "a line for the shell's own start file; tests/cli has a test of it",
    ("README.md", "make demo"): "`demo` has a test of its own, and `make test` would run this test",
    ("README.md", "pipx install ."): "it installs the package, and its dependencies come from the network",
    (
        "README.md",
        "python3 -m venv venv",
    ): "it installs the package, and its dependencies come from the network",
    ("docs/performance.md", "make bench-quick"): "it takes a minute and more; tests/benchmarks run its parts",
    (
        "docs/search.md",
        "assistants-migrate index estate.db",
    ): "tests/e2e/test_index_command.py runs both commands",
    ("docs/diff.md", "assistants-migrate diff LEFT RIGHT"): "it shows the form, with words for estates",
    ("docs/reports.md", ".venv/bin/python -m tests.reports.golden"): "it would write over what is compared",
    (
        "docs/scale.md",
        "kubectl apply -f shards.yaml",
    ): "there is no cluster; tests/test_docs.py runs the scripts",
    (
        "docs/recipes/azure-pipelines.md",
        "az identity federated-credential create",
    ): "it needs an Azure account",
    ("docs/serve.md", "assistants-migrate serve estate.db --open"): "it opens a browser; tests/serve runs it",
    ("docs/serve.md", "assistants-migrate index estate.db"): "tests of the index run it",
    ("docs/serve.md", "export ARCHIVE_KEY"): "it listens for other machines; tests/serve checks the options",
    ("docs/api.md", "export ARCHIVE_KEY"): "tests/serve/api runs the clients of the page against a server",
    ("docs/mcp.md", "assistants-migrate mcp estate.db"): "tests/mcp speaks to it as a client",
    ("docs/mcp.md", "pip install"): "it installs the package, and its dependencies come from the network",
    ("docs/recipes/github.md", "az identity create"): "it needs an Azure account",
    ("docs/recipes/terraform.md", "cd terraform"): "Terraform would fetch its providers",
}
# Recipe and heading -> number of bash blocks below it. test_recipe_flows.py extracts and runs each of them.
ELSEWHERE = {
    ("backup.md", "The script"): 2,
    ("backup.md", "How old is the last good one"): 1,
    ("backup.md", "Keeping it private, and copying it right"): 1,
    ("drill.md", "The script"): 2,
    ("promotion.md", "From dev into the repository"): 1,
    ("promotion.md", "To test"): 1,
    ("promotion.md", "To prod"): 2,
    ("standby.md", "The first time"): 2,
    ("standby.md", "On a schedule"): 1,
    ("standby.md", "When others changed the standby"): 2,
    ("standby.md", "The day"): 2,
    ("standby.md", "The way back"): 1,
    ("standby.md", "A drill"): 2,
    ("terraform.md", "Handing over"): 1,
    ("terraform.md", "Auditing drift afterwards"): 2,
}
# Recipe and step of a workflow -> why its script is not run.
STEPS_NOT_RUN = {
    ("github.md", 'Begin with "nothing was reached"'): "it writes the number that is there before the gate",
    ("github.md", "Install"): "it installs the package from an address that people fill in",
    ("promotion.md", "Install"): "it installs the package from an address that people fill in",
}
# Pages of which all other blocks are run below.
HERE = ("README.md", "docs/archive.md", "docs/emulator.md", "docs/guide.md", "docs/leave-assistants.md",
        "docs/reports.md", "docs/restore.md", "docs/scale.md", "docs/selection.md",
        "docs/transcripts.md")  # fmt: skip
# Programs that are not part of this package.
NO_PROGRAM = re.compile(r"(sqlite3|sqlite-utils|datasette)\b")
ESTATES = """
[estates.old]
type = "foundry-classic"
endpoint = "{url}"
token_env = "FOUNDRY_TOKEN"
[estates.new]
type = "foundry"
endpoint = "{url}"
token_env = "FOUNDRY_TOKEN"
[estates.east]
type = "azure-openai"
endpoint = "http://127.0.0.1:{east}"
key_env = "EAST"
[estates.west]
type = "azure-openai"
endpoint = "http://127.0.0.1:{west}"
key_env = "WEST"
"""
START_S, PORT = 30, re.compile(r"\b800[1-4]\b")


def reason(block: Block) -> str:
    """Why a block is not run, or ''."""
    found = [
        why for (page, first), why in NOT_RUN.items() if page == block.page and block.first.startswith(first)
    ]
    return found[0] if found else ""


EVERY = [block for page in PAGES for block in blocks(page)]


def of(page: str) -> list[Block]:
    """The blocks of a page that are run here."""
    return [block for block in EVERY if block.page == page and not reason(block)]


def test_every_block_is_run_or_listed_with_a_reason() -> None:
    unknown = [b for b in EVERY if not reason(b) and b.page not in HERE and not _of_a_recipe(b)]
    assert not unknown, "run it in a test of this file, or list it in NOT_RUN"
    for page, first in NOT_RUN:
        assert any(b.page == page and b.first.startswith(first) for b in EVERY), (
            f"{page} has no {first!r} now"
        )


def _of_a_recipe(block: Block) -> bool:
    """Whether the block belongs to a recipe of the table; those are counted below."""
    return block.page.startswith("docs/recipes/") and block.language == "bash"


def calls(function: str) -> set[tuple[str, str]]:
    """Page and heading, or page and step, with which the tests of the recipes call a function."""
    found: set[tuple[str, str]] = set()
    for name in ("test_recipe_flows.py", "test_recipe_gates.py"):
        for node in ast.walk(ast.parse((ROOT / "tests/e2e" / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                if len(words) == 2:  # a third one has a language that no shell runs
                    found.add((str(words[0]), str(words[1])))
    return found


def test_every_block_of_a_recipe_is_run_by_the_tests_of_the_recipes() -> None:
    held = [block for page in RECIPES for block in recipe_blocks(page) if block.language in SHELL]
    listed = {first for page, first in NOT_RUN if page.startswith("docs/recipes/")}
    run = [b for b in held if not any(b.text.startswith(first) for first in listed)]
    counted = Counter((block.page, block.heading) for block in run)
    assert counted == ELSEWHERE, "run a new block in tests/e2e/test_recipe_flows.py, or list it in NOT_RUN"
    assert set(ELSEWHERE) <= calls("under")


def test_every_step_of_a_recipe_is_run_or_listed_with_a_reason() -> None:
    documents = [(b.page, yaml.safe_load(b.text)) for page in RECIPES for b in recipe_blocks(page)
                 if b.language == "yaml"]  # fmt: skip
    held = {
        (page, str(one.get("name") or one.get("displayName")))
        for page, document in documents
        for one in steps(document)
        if script(one)
    }
    run = calls("step")
    assert held - run == set(STEPS_NOT_RUN), "run a new step in a test of the recipes, or list it here"


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A folder for commands; processes of other terminals are ended afterwards."""
    with ExitStack() as stack:
        made = Machine(folder, stack)
        yield made


class Machine:
    """Runs the commands as they are written, with free ports instead of those of the page."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.shell = Shell(folder)
        self._stack, self._ports = stack, dict[str, int]()
        (folder / "fixtures").symlink_to(ROOT / "fixtures")

    def port(self, written: str) -> int:
        """The free port for a port of the page."""
        if written not in self._ports:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._ports[written] = free.getsockname()[1]
        return self._ports[written]

    def here(self, text: str) -> str:
        """A text of the page with the ports of this machine."""
        return PORT.sub(lambda hit: str(self.port(hit[0])), text)

    def start(self, line: str) -> None:
        """Start a command that has its own terminal: an emulated service."""
        text = self.here(line)
        process = subprocess.Popen(["bash", "-c", f"exec {text}"], cwd=self.shell.folder, env=self.shell.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self._stack.callback(_end, process)
        port = int(re.search(r"--port (\d+)", text)[1])  # type: ignore[index]
        _wait(port, process)

    def run(self, block: Block, codes: dict[str, int], answers: str = "y") -> list[CommandResult]:
        """Run every command of a block. `codes`: beginning of a command -> its exit code, if not 0."""
        said = []
        for command in block.commands:
            if NO_PROGRAM.match(command.text):
                continue
            if "migrate emulate" in command.text:
                self.start(command.text)
                continue
            if command.text.startswith("export "):
                self.export(command.text)
                continue
            done = self.shell(f"exec 0<<<{answers}\n{self.here(command.text)}")
            call = command.text.removeprefix("assistants-migrate ")
            wanted = next((code for text, code in codes.items() if call.startswith(text)), 0)
            assert done.code == wanted, (
                f"{command.text} ended with {done.code}\n{done.out[-800:]}\n{done.err}"
            )
            _shown(command, self.here, done)
            said.append(done)
        return said

    def export(self, text: str) -> None:
        """Set variables for the following commands."""
        for pair in self.here(text).removeprefix("export ").split():
            name, _, value = pair.partition("=")
            self.shell.env[name] = value


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    process.kill()
    process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the emulated service did not start")


def _shown(command: Command, here: Any, done: CommandResult) -> None:
    """Check that the output below a command is that of the program, without numbers: every line that is not
    shortened and has no generated id."""
    out = _plain(done.out)
    for line in command.shown:
        if line.strip() and "..." not in line and "conv_" not in line and "Plant-Desk" not in line:
            assert _plain(here(line)) in out, f"{command.text} does not say {line!r}:\n{done.out}"


def _plain(text: str) -> str:
    return re.sub(r"\d[\d,.]*", "N", " ".join(text.split()))


def texts(page: str, language: str) -> list[str]:
    """The fenced blocks of one language of a page."""
    return re.findall(rf"```{language}\n(.+?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


RUNBOOK = {
    "assess estate.db --to new": 1,
    "plan estate.db new": 1,
    "assess estate.db@before": 1,
}


@pytest.mark.slow
def test_the_runbook_line_by_line(tmp_path: Path) -> None:
    page = "docs/leave-assistants.md"
    with machine(tmp_path / "move") as typed:
        shell, toml = typed.shell, texts(page, "toml")
        shell.write("estates.toml", typed.here(toml[0]))
        for block in of(page):
            if block.first.startswith("assistants-migrate plan estate.db new"):
                shell.write("estates.toml", typed.here(toml[0] + toml[1]))
            if "--tag after" in block.first:
                _say_something(typed)
            typed.run(block, RUNBOOK)
            if "id_map.sql" in block.first:
                _loaded(shell)
            if "--tag moved" in block.first:
                _attached(shell, texts(page, "sql"))
                _joined(shell, next(text for text in texts(page, "python") if "id_map.csv" in text))


def _say_something(typed: Machine) -> None:
    """A customer writes another message on the classic side."""
    thread = "thread_mKahZtQ4ZVonm7YGx1nPVNrR"
    address = (
        f"http://127.0.0.1:{typed.port('8003')}/api/projects/demo/threads/{thread}/messages?api-version=v1"
    )
    body = json.dumps({"role": "user", "content": "And thyme?"}).encode()
    head = {"Authorization": "Bearer emulator", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, body, head)) as answer:
        assert answer.status == 200


def _database(shell: Shell) -> sqlite3.Connection:
    conn = sqlite3.connect(f"file:{shell.folder / 'app.db'}", uri=True)
    conn.execute("CREATE TABLE IF NOT EXISTS chats (customer TEXT, thread_id TEXT, assistant_id TEXT)")
    return conn


def _attached(shell: Shell, sqls: list[str]) -> None:
    """The SQL of the page, in its order, with the archive attached."""
    with closing(_database(shell)) as conn:
        register_sql_functions(conn)
        for sql in sqls:
            answer = conn.execute(
                sql.replace("file:estate.db", f"file:{shell.folder / 'estate.db'}")
            ).fetchall()
            assert answer or not sql.startswith("SELECT"), sql
            if sql.startswith("ATTACH"):
                conn.execute("INSERT INTO chats VALUES ('Ada', 'thread_forgotten', 'asst_forgotten')")
                conn.execute(
                    "INSERT INTO chats SELECT 'Bob', thread.id, assistant.id FROM archive.threads AS thread, "
                    "archive.assistants AS assistant WHERE thread.snapshot = 1 AND assistant.snapshot = 1"
                )
        conn.commit()


def _loaded(shell: Shell) -> None:
    """The same with the table that was written, for another database: without `archive.`."""
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.executescript(shell.read("id_map.sql"))
        conn.execute("CREATE TABLE chats (customer TEXT, thread_id TEXT, assistant_id TEXT)")
        conn.execute("INSERT INTO chats SELECT 'Bob', source_id, '' FROM id_map WHERE kind = 'thread'")
        for sql in texts("docs/leave-assistants.md", "sql"):
            if sql.startswith(("ALTER", "UPDATE")):
                conn.execute(sql.replace("archive.", ""))
        told = conn.execute("SELECT count(*), count(conversation_id) FROM chats").fetchone()
        assert told[0] == told[1] > 0
        lying = conn.execute(
            "SELECT count(*) FROM id_map WHERE kind = 'message' AND source_parent > '' AND target_parent > ''"
        ).fetchone()
        assert lying[0] > 0


def _joined(shell: Shell, code: str) -> None:
    with closing(_database(shell)) as conn, (shell.folder / "chats.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer", "thread_id", "assistant_id"])
        rows.writerows(conn.execute("SELECT customer, thread_id, assistant_id FROM chats"))
    shell.write("join.py", code)
    assert "Bob conv_" in shell.ok("python3 join.py")


def test_the_commands_of_the_readme(tmp_path: Path) -> None:
    service, commands = of("README.md")
    with machine(tmp_path / "quick") as typed:
        typed.run(service, {})
        results = typed.run(commands, {})
        assert "0 findings in 116 objects" in [line for said in results for line in said.out.splitlines()]
        assert (typed.shell.folder / "plan.html").exists()


@pytest.mark.slow
def test_the_commands_of_the_guide(tmp_path: Path) -> None:
    in_order, files = of("docs/guide.md")
    with machine(tmp_path / "garden") as typed:
        typed.start(
            "assistants-migrate emulate --service foundry --port 8003 --state fixtures/foundry-classic"
        )
        typed.shell.env["FOUNDRY_TOKEN"] = "emulator"
        url = typed.here("http://127.0.0.1:8003/api/projects/demo")
        typed.start("assistants-migrate emulate --port 8001 --key east --state fixtures/azure-v2")
        typed.start("assistants-migrate emulate --port 8002 --key west")
        typed.shell.write(
            "estates.toml", ESTATES.format(url=url, east=typed.port("8001"), west=typed.port("8002"))
        )
        typed.shell.env |= {"EAST": "east", "WEST": "west"}
        typed.run(in_order, {"assess": 1, "plan estate.db": 1, "apply": 3, "verify": 1})
        typed.run(files, {"plan": 1})


@pytest.mark.slow
def test_the_commands_about_archives_reports_shards_and_emulators(tmp_path: Path) -> None:
    with machine(tmp_path / "archives") as typed:
        shell = typed.shell
        services, faulty = of("docs/emulator.md")
        shell.write(
            "faults.toml", next(text for text in texts("docs/emulator.md", "") if "[[fault]]" in text)
        )
        typed.run(services, {})
        url = typed.here("http://127.0.0.1:8003/api/projects/demo")
        east, west = typed.port("8001"), typed.port("8002")
        shell.write("estates.toml", ESTATES.format(url=url, east=east, west=west))
        shell.env |= {"EAST": "east", "FOUNDRY_TOKEN": "emulator"}
        for block in of("docs/scale.md"):
            typed.run(block, {})
        for _ in range(4):
            shell("assistants-migrate snapshot east -o estate.db --full")
        diff, *_ = of("docs/reports.md")
        typed.run(diff, {"plan": 1, "verify": 1})
        _answered(typed)  # the last of these deletes snapshots
        _faulty(typed, faulty)


def test_the_commands_about_selection(tmp_path: Path) -> None:
    with machine(tmp_path / "selection") as typed:
        typed.start("assistants-migrate emulate --port 8001 --key east --state fixtures/azure-v2")
        east, west = typed.port("8001"), typed.port("8002")
        url = "http://127.0.0.1:1/api/projects/demo"
        typed.shell.write("estates.toml", ESTATES.format(url=url, east=east, west=west))
        typed.shell.env["EAST"] = "east"
        typed.shell("assistants-migrate snapshot east -o estate.db")
        for block in of("docs/selection.md"):
            typed.run(block, {})
        thread = json.loads(typed.shell.ok("assistants-migrate ls estate.db --kind thread --json"))[0]["id"]
        typed.shell.write("threads.txt", f"{thread}\n")
        for block in of("docs/transcripts.md"):
            commands = tuple(Command(c.text.replace("THREAD", thread)) for c in block.commands)
            typed.run(Block(block.page, block.first, block.language, commands), {})


def test_the_commands_about_searching(tmp_path: Path) -> None:
    with machine(tmp_path / "search") as typed:
        typed.start("assistants-migrate emulate --port 8001 --key east --state fixtures/azure-v2")
        east, west = typed.port("8001"), typed.port("8002")
        url = "http://127.0.0.1:1/api/projects/demo"
        typed.shell.write("estates.toml", ESTATES.format(url=url, east=east, west=west))
        typed.shell.env["EAST"] = "east"
        typed.shell("assistants-migrate snapshot east -o estate.db")
        for block in of("docs/search.md"):
            typed.run(block, {})


def _answered(typed: Machine) -> None:
    """The commands of the page about archives; words in capitals are ids."""
    shell = typed.shell
    ids = {"THREAD": "thread", "ID": "assistant"}
    for word, kind in ids.items():
        ids[word] = json.loads(shell.ok(f"assistants-migrate ls estate.db --kind {kind} --json"))[0]["id"]
    for block in of("docs/archive.md"):
        commands = tuple(
            Command(re.sub(r"\b(THREAD|ID|asst_\w+)\b", lambda hit: ids.get(hit[0], ids["ID"]), c.text))
            for c in block.commands
        )
        codes = {"search": 1, 'show estate.db "Meeting Notes"': 2}
        typed.run(Block(block.page, block.first, block.language, commands), codes)


def _faulty(typed: Machine, block: Block) -> None:
    """Check that the emulator accepts the faults file of the page; its port is already in use."""
    moved = tuple(Command(c.text.replace("8003", "8004")) for c in block.commands)
    typed.run(Block(block.page, block.first, block.language, moved), {})


@pytest.mark.slow
def test_the_page_about_restoring_line_by_line(tmp_path: Path) -> None:
    page = "docs/restore.md"
    services, *rest = of(page)
    with machine(tmp_path / "restore") as typed:
        typed.shell.write("estates.toml", typed.here(texts(page, "toml")[0]))
        typed.run(services, {})
        for block in rest:
            if block.first.startswith("assistants-migrate diff"):
                _deleted_by_mistake(typed)
            typed.run(block, {"diff": 1})


def _deleted_by_mistake(typed: Machine) -> None:
    """Delete an assistant, and the vector store that it uses."""
    for path in ("assistants/asst_CSCoFC4uXMtqUChcpvcsEMVK", "vector_stores/vs_UDiXg4HEb9ohHDFpifIyd6nH"):
        url = typed.here(f"http://127.0.0.1:8001/openai/{path}?api-version=2025-04-01-preview")
        request = urllib.request.Request(url, headers={"api-key": "emulator"}, method="DELETE")
        urllib.request.urlopen(request).close()


def test_programs_that_are_not_ours_are_few() -> None:
    """Commands that are left out of a block that is run: programs that read SQLite."""
    left = {
        c.text.split()[0] for b in EVERY if b.page in HERE for c in b.commands if NO_PROGRAM.match(c.text)
    }
    assert left == {"sqlite3", "sqlite-utils", "datasette"}
    assert shutil.which("bash")
