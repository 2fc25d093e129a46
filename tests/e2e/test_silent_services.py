"""A service that accepts requests and never answers: reported within seconds, and exit code 5."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate.emulator import Emulator, Options
from migrate.endpoints import probe
from migrate.endpoints.http import deadlines, outage, retry
from tests.e2e.commands import run

KEY = "key-of-this-test-4711"
ENTRY = '[estates.east]\ntype = "{type}"\nendpoint = "{url}"\nauth = "token"\ntoken_env = "EAST_TOKEN"\n'


@pytest.fixture(autouse=True)
def short_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce every time limit of the program."""
    monkeypatch.setattr(deadlines, "ANSWER_TIMEOUT_S", 1.3)
    monkeypatch.setattr(probe, "PROBE_TIMEOUT_S", 1.3)
    monkeypatch.setattr(outage, "OUTAGE_S", 0.5)
    monkeypatch.setattr(outage, "REPORT_SILENCE_AFTER_S", 0.1)
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.02)


@pytest.mark.slow
@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    ("type_", "path"), [("openai", "*/files*"), ("foundry", "*/agents*"), ("foundry", "*/files*")]
)
@pytest.mark.parametrize("command", ["snapshot", "doctor"])
def test_a_service_falls_silent(tmp_path: Path, type_: str, path: str, command: str) -> None:
    faults = tmp_path / "faults.json"
    begin = 2 if command == "snapshot" else 1
    row = {"what": "silent", "from": begin, "path": path if command == "snapshot" else "*"}
    faults.write_text(json.dumps({"fault": [row, {**row, "path": "*", "from": 6}]}), encoding="utf-8")
    with Emulator(Options(service=type_, key=KEY, faults=faults, list_threads="works")) as cloud:  # type: ignore[arg-type]
        config = tmp_path / "estates.toml"
        config.write_text(ENTRY.format(type=type_, url=cloud.url), encoding="utf-8")
        arguments = {"snapshot": ("snapshot", "east", "-o", str(tmp_path / "a.db"), "--workers", "2")}
        done = run(*arguments.get(command, (command, "east")), config=config, env={"EAST_TOKEN": KEY})
    assert done.code == 5, done.err
    assert "Traceback" not in done.err
    assert "no answer for" in done.err
    assert "no answer within" in done.err
    assert "left" not in done.err


def test_a_dead_proxy_in_the_environment_is_not_asked_for_this_machine(tmp_path: Path) -> None:
    dead = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), "http://127.0.0.1:9")
    for type_ in ("openai", "foundry"):
        with Emulator(Options(service=type_, key=KEY, list_threads="works")) as cloud:  # type: ignore[arg-type]
            config = tmp_path / "estates.toml"
            config.write_text(ENTRY.format(type=type_, url=cloud.url), encoding="utf-8")
            run("doctor", "east", "--json", config=config, env={"EAST_TOKEN": KEY, **dead}).ok()
