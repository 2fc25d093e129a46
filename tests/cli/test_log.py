"""The log: one line per request, on standard error or in a file, never on standard output, without
secrets."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator, Options
from tests.e2e.commands import run
from tests.e2e.running import CommandResult

KEY = "a-key-that-nobody-may-see-4711"
REQUEST = re.compile(
    r"(?P<method>[A-Z]+) (?P<path>/\S*) status=(?P<status>\w+) request_id=(?P<id>\S+) try=(?P<try>\d+) "
    r"waited=(?P<waited>[\d.]+)s took=[\d.]+s$"
)


class FailsFirst:
    """An ASGI application that answers the first requests for a path with these statuses."""

    def __init__(self, service: Any, path: str, statuses: list[int]) -> None:
        self.service, self.path, self.statuses = service, path, statuses
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        if not (scope["path"].endswith(self.path) and self.statuses):
            await self.service(scope, receive, send)
            return
        headers = [(b"retry-after-ms", b"20"), (b"x-request-id", b"refused-1")]
        await send({"type": "http.response.start", "status": self.statuses.pop(0), "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def service() -> Iterator[Emulator]:
    with Emulator(Options(key=KEY, record=True)) as emulator:
        yield emulator


def call(service: Emulator, *arguments: str) -> CommandResult:
    return run(*arguments, env={"AZURE_OPENAI_API_KEY": KEY})


def estate(service: Emulator) -> str:
    return f"azure-openai+{service.url}"


def requests_in(text: str) -> list[dict[str, str]]:
    return [found.groupdict() for line in text.splitlines() if (found := REQUEST.search(line))]


def test_nothing_is_logged_unless_asked_for(service: Emulator) -> None:
    said = call(service, "doctor", estate(service), "--quiet")
    assert said.err == ""
    assert not logging.getLogger("migrate").handlers


def test_verbose_logs_the_steps_and_debug_adds_the_requests(service: Emulator) -> None:
    verbose = call(service, "doctor", estate(service), "-v")
    assert "migrate.endpoints: read azure-openai http://127.0.0.1" in verbose.err
    assert not requests_in(verbose.err)
    before = len(service.requests)
    debug = call(service, "doctor", estate(service), "--debug")
    assert "migrate.endpoints: read azure-openai" in debug.err
    logged = requests_in(debug.err)
    # The kinds are requested at the same time, so the lines may be in another order than the requests.
    assert sorted((row["method"], row["path"], row["status"]) for row in logged) == sorted(
        (request.method, request.path, str(request.status)) for request in service.requests[before:]
    )
    assert all(len(row["id"]) == 32 for row in logged)


def test_quiet_turns_off_the_progress_and_not_the_log(service: Emulator, tmp_path: Path) -> None:
    said = call(service, "snapshot", estate(service), "-o", str(tmp_path / "e.db"), "-q", "--debug")
    lines = said.err.splitlines()
    assert requests_in(said.err)
    assert all(re.match(r"\d\d:\d\d:\d\d migrate\.", line) for line in lines), lines


def test_every_try_has_a_line_with_its_number_and_its_wait(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    made: list[FailsFirst] = []

    def wrap(service: Any) -> FailsFirst:
        made.append(FailsFirst(service, "/assistants", [429, 503]))
        return made[0]

    with Emulator(Options(key=KEY), wrap=wrap) as emulator:
        said = call(emulator, "doctor", estate(emulator), "--log-file", str(file))
    assert said.code == 0
    logged = requests_in(file.read_text(encoding="utf-8"))
    assert len(logged) == made[0].asked
    tries = [row for row in logged if row["path"].endswith("/assistants")]
    listed = tries.pop()  # again, to find models that retire
    assert (listed["status"], listed["try"]) == ("200", "1")
    assert [(row["status"], row["try"]) for row in tries] == [("429", "1"), ("503", "2"), ("200", "3")]
    assert [row["id"] for row in tries[:2]] == ["refused-1", "refused-1"]
    assert all(float(row["waited"]) > 0 for row in tries[1:])
    assert said.err.count("request_id=") == 0


def test_a_request_without_an_answer_is_logged_with_its_error(tmp_path: Path) -> None:
    with Emulator(Options(key=KEY)) as emulator:
        address = estate(emulator)
    said = run("doctor", address, "--debug", env={"AZURE_OPENAI_API_KEY": KEY})
    logged = requests_in(said.err)
    assert {row["status"] for row in logged} == {"ConnectError"}
    assert [row["try"] for row in logged] == ["1", "2", "3"]
    assert re.search(r"ended with \w+, exit code 5: cannot reach", said.err)


def test_no_line_holds_a_secret(service: Emulator, tmp_path: Path) -> None:
    """The key is used as the id of a thread, so that it appears in the path of a request."""
    threads, file = tmp_path / "ids.txt", tmp_path / "run.log"
    threads.write_text(f"{KEY}\n", encoding="utf-8")
    said = call(
        service, "snapshot", estate(service), "-o", str(tmp_path / "e.db"), "--threads", str(threads),
        "--debug", "--log-file", str(file),
    )  # fmt: skip
    assert any(KEY in request.path for request in service.requests)
    for text in (said.out, said.err, file.read_text(encoding="utf-8")):
        assert KEY not in text
    assert "GET /openai/threads/(secret)" in said.err
    assert "GET /openai/threads/(secret)" in file.read_text(encoding="utf-8")


def test_standard_output_has_the_document_alone(service: Emulator, tmp_path: Path) -> None:
    said = call(
        service, "doctor", estate(service), "--json", "-v", "--debug", "--log-file", str(tmp_path / "run.log")
    )
    assert json.loads(said.out)
    assert requests_in(said.err)


def test_the_file_is_of_its_owner_alone_and_appended_to(service: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    call(service, "doctor", estate(service), "--log-file", str(file), "-q")
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o644)
    first = file.read_text(encoding="utf-8")
    call(service, "doctor", estate(service), "--log-file", str(file), "-q")
    second = file.read_text(encoding="utf-8")
    assert second.startswith(first)
    assert second.count(" INFO migrate.cli.options: doctor, version ") == 2
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not logging.getLogger("migrate").handlers


@pytest.mark.parametrize("content", [b"SQLite format 3\0", b'{"plan": 1}', b"[estates.east]\n"])
def test_a_file_that_is_no_log_is_left_as_it_is(service: Emulator, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine"
    file.write_bytes(content)
    said = call(service, "doctor", estate(service), "--log-file", str(file))
    assert said.code == 2
    assert "is no log file" in said.err
    assert file.read_bytes() == content
    assert not service.requests


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "no/such/folder/run.log"])
def test_what_cannot_be_a_log_file_is_refused(service: Emulator, name: str) -> None:
    said = call(service, "doctor", estate(service), "--log-file", name)
    assert (said.code, said.out) == (2, "")
    assert not service.requests


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_log_that_cannot_be_written_does_not_end_the_command(
    service: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate.cli.log._open_log", lambda path: os.open("/dev/full", os.O_WRONLY))
    said = call(service, "doctor", estate(service), "--log-file", str(tmp_path / "run.log"), "-q")
    assert said.code == 0
    assert f"the log file {tmp_path / 'run.log'} is incomplete: No space left on device" in said.err
