"""The command `mcp` in its own process: the official client, raw lines, Ctrl-C, closed streams."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import ClientSession, StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client

from migrate import cli
from migrate.cli.commands.mcp import mcp_command
from migrate.mcp.answers import MAX_ANSWER_CHARS
from migrate.mcp.server import ARCHIVE_TOOLS, INSTRUCTIONS
from tests.mcp.archives import fill
from tests.mcp.test_tools import CALLS

ROOT = Path(__file__).parents[2]
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"},
    },
}  # fmt: skip


def call(number: int, name: str, arguments: Any) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("server") / "estate.db"
    fill(path)
    return path


def command(path: Path | str, *options: str) -> list[str]:
    return ["-m", "migrate", "mcp", str(path), *options]


@contextmanager
def process(path: Path | str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(
        [sys.executable, *command(path, *options)], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def answers(out: bytes) -> dict[int, Any]:
    """Id -> answer. Every line is a message of the protocol."""
    rows = [json.loads(line) for line in out.decode().splitlines()]
    assert all(row["jsonrpc"] == "2.0" for row in rows)
    return {row["id"]: row for row in rows}


def test_the_official_client_calls_every_tool(path: Path) -> None:
    parameters = StdioServerParameters(command=sys.executable, args=command(path, "--quiet"), cwd=ROOT)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(stdio_client(parameters)) as streams,
        portal.wrap_async_context_manager(ClientSession(*streams)) as session,
    ):
        hello = portal.call(session.initialize)
        assert hello.server_info.name == "assistants-migrate"
        assert "never an instruction" in (hello.instructions or "")
        tools = portal.call(session.list_tools).tools
        assert [tool.name for tool in tools] == list(ARCHIVE_TOOLS)
        for tool in tools:
            assert "never an instruction" in (tool.description or "")
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
        for name, arguments in CALLS.items():
            result = portal.call(session.call_tool, name, arguments)
            assert not result.is_error, result
            assert json.loads(result.content[0].text)["note"]
        result = portal.call(session.call_tool, "get_thread", {"thread": "no"})
        assert result.is_error
        assert "has no thread 'no'" in json.loads(result.content[0].text)["error"]


def test_a_client_of_the_newest_protocol_is_answered(path: Path) -> None:
    parameters = StdioServerParameters(command=sys.executable, args=command(path, "--quiet"), cwd=ROOT)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(stdio_client(parameters))) as client,
    ):
        assert len(portal.call(client.list_tools).tools) == len(ARCHIVE_TOOLS)
        result = portal.call(client.call_tool, "list_snapshots", {})
        assert json.loads(result.content[0].text)["count"] == 2


def test_what_was_asked_is_answered_before_it_ends_with_standard_input(path: Path) -> None:
    """Also after lines that are no messages, or that never end."""
    odd = ["no json", "x" * (1 << 21), "[1, 2]", "null", '{"jsonrpc": "2.0", "id": 9, "method": 5}', "\u2028"]
    lines = [json.dumps(HELLO), *odd, json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/unknown"})]
    lines += [
        json.dumps(call(number, name, arguments))
        for number, (name, arguments) in enumerate(CALLS.items(), 10)
    ]
    with process(path, "--quiet") as started:
        out, err = started.communicate("\n".join(lines).encode(), timeout=60)
        assert (started.returncode, err) == (0, b"")
    found = answers(out)
    assert found.keys() == {1, 2, *range(10, 10 + len(CALLS))}
    assert found[2]["error"]["code"] == -32601
    assert all("result" in found[number] for number in range(10, 10 + len(CALLS)))


def test_ctrl_c_ends_it_and_json_is_one_line_on_standard_error(path: Path) -> None:
    with process(path, "--json") as started:
        assert started.stderr is not None
        ready = json.loads(started.stderr.readline())
        assert ready == {
            "archive": str(path), "snapshot": 2, "transport": "stdio", "tools": list(ARCHIVE_TOOLS)
        }  # fmt: skip
        started.send_signal(signal.SIGINT)
        assert started.wait(20) == 0
        assert started.stderr.read() == b""
        assert started.stdout is not None
        assert started.stdout.read() == b""


def test_it_ends_when_nobody_reads_any_more(path: Path) -> None:
    with process(path, "--quiet") as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdout.close()
        started.stdin.write(json.dumps(HELLO).encode() + b"\n")
        started.stdin.flush()
        assert started.wait(20) == 0


NOISE = """
import os, sys
from migrate.mcp import server
def noisy(request):
    print("printed"); os.write(1, b"written"); os.system("echo echoed")
    raise ZeroDivisionError("a mistake")
tool = server.ARCHIVE_TOOLS["compare"]
server.ARCHIVE_TOOLS["compare"] = type(tool)(tool.name, tool.title, tool.description, (), noisy)
from migrate.cli import main
sys.argv = ["assistants-migrate", "mcp", sys.argv[1], "--quiet"]
main()
"""


def test_nothing_but_the_protocol_is_on_standard_output_and_a_mistake_ends_nothing(path: Path) -> None:
    lines = [HELLO, call(2, "compare", {}), call(3, "list_snapshots", {})]
    run = subprocess.run(
        [sys.executable, "-c", NOISE, str(path)], cwd=ROOT, capture_output=True, timeout=60,
        input="\n".join(map(json.dumps, lines)).encode(),
    )  # fmt: skip
    found = answers(run.stdout)
    assert "a mistake in assistants-migrate" in found[2]["result"]["content"][0]["text"]
    assert "ZeroDivisionError" not in found[2]["result"]["content"][0]["text"]
    assert not found[3]["result"]["isError"]
    for word in (b"printed", b"written", b"echoed", b"ZeroDivisionError"):
        assert word in run.stderr


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[Any, str]:
    monkeypatch.setattr(sys, "argv", ["assistants-migrate", "mcp", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert out == ""
    return ended.value.code, err


def test_without_its_package_it_advises_how_to_install_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    code, err = run(monkeypatch, capsys, str(path))
    assert code == 2
    for words in ('pip install "mcp>=2"', "pipx inject", "uvx --with"):
        assert words in err


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("nothing.db", "there is no archive"),
        ("estate.db@7", "has no snapshot '7'"),
        ("other.db", "is not an archive"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(
    path: Path,
    argument: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (path.parent / "other.db").write_bytes(b"text" * 100)
    monkeypatch.chdir(path.parent)
    code, err = run(monkeypatch, capsys, argument)
    assert code == 2
    assert message in err
    assert "next: " in err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process that runs is read from /proc")
def test_its_memory_is_bounded(path: Path) -> None:
    """All tools, each of them thirty times. It had 83 MB, and 131 when what was read was not freed."""
    calls = [call(number, *row) for number, row in enumerate([*CALLS.items()] * 30, 10)]
    with process(path, "--quiet") as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.write(b"".join(f"{json.dumps(row)}\n".encode() for row in [HELLO, *calls]))
        started.stdin.flush()
        assert (
            len(answers(b"".join(started.stdout.readline() for _ in range(len(calls) + 1)))) == len(calls) + 1
        )
        status = Path(f"/proc/{started.pid}/status").read_text(encoding="utf-8")
    peak_kib = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])
    assert peak_kib < 110 * 1024


DOCS = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_the_settings_of_clients_start_the_command(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is JSON, and its arguments are those of this program."""
    settings = [json.loads(text) for text in re.findall(r"```json\n(.+?)```", DOCS, re.DOTALL)]
    servers = [next(iter(row.get("mcpServers", row.get("servers", {})).values()), None) for row in settings]
    commands = [server for server in servers if server]
    assert len(commands) == 2
    for server in commands:
        assert server["command"].endswith("/assistants-migrate")
        arguments = mcp_command.make_context("mcp", server["args"][1:]).params
        assert (server["args"][0], arguments["quiet"]) == ("mcp", True)
        assert arguments["archive"].endswith("/estate.db")


def test_every_tool_and_the_bounds_are_written_down() -> None:
    table = DOCS.partition("## Tools")[2].partition("- An answer")[0]
    assert set(re.findall(r"`(\w+)`", re.sub(r"\| [^|]+ \|$", "|", table, flags=re.MULTILINE))) == set(
        ARCHIVE_TOOLS
    )
    assert f"at most {MAX_ANSWER_CHARS:,} characters" in DOCS
    assert f"{MAX_ANSWER_CHARS:,} characters" in INSTRUCTIONS


@pytest.mark.slow
def test_lines_that_are_no_requests_end_nothing(path: Path) -> None:
    cancelled = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":%s}'
    odd = [
        "not json", "{}", "[]", '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":1,"method":"nothing/at/all"}',
        "[" * 300_000, '{"a":' * 50_000 + "1" + "}" * 50_000, '"' + "y" * 2_000_000 + '"',
        cancelled % '{"requestId":77}', cancelled % '{"requestId":{"a":[1]}}', cancelled % "[1]",
        '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":7}}',
    ]  # fmt: skip
    asked = '{"jsonrpc":"2.0","id":3,"method":"tools/list"}'
    start = (
        '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18",'
        '"capabilities":{},"clientInfo":{"name":"a","version":"1"}}}'
    )
    opened = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    done = subprocess.run(
        [sys.executable, "-m", "migrate", "mcp", str(path), "--quiet"],
        input=("\n".join([*odd, start, opened, *odd, asked]) + "\n").encode() + b"\xff\xfe\n",
        capture_output=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert "result" in next(answer for answer in answers if answer.get("id") == 3)
    assert done.stderr == b""
