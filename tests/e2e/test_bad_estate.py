"""Estates that cannot be reached or decoded: an exit code, three lines, and nothing is written."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.running import World, options


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize("service", ["openai", "azure-openai"])
def test_a_wrong_key(launch: Launch, service: str) -> None:
    state = "openai-v2" if service == "openai" else "azure-v1"
    world = launch(options("SOURCE_KEY", state, service))
    world.env["SOURCE_KEY"] = "not-the-key"
    said = world("snapshot", "source", "-o", world.db)
    said.error(5, "denies access", "key")
    assert "not-the-key" not in said.err
    assert not Path(world.db).exists(), "an archive of nothing was left behind"


def test_a_closed_port(small: World) -> None:
    said = small("snapshot", f"openai+http://127.0.0.1:{free_port()}/v1", "-o", small.db)
    said.error(2, "OPENAI_API_KEY")
    small.env["OPENAI_API_KEY"] = "any"
    said = small("snapshot", f"openai+http://127.0.0.1:{free_port()}/v1", "-o", small.db)
    said.error(5, "cannot reach")
    assert not Path(small.db).exists()


def test_a_wrong_api_version(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", "azure-v2"), source_version="1999-01-01")
    said = world("snapshot", "source", "-o", world.db)
    if said.code == 5:
        said.error(5, "1999-01-01")
    else:  # files and stores still exist under /openai/v1
        answer = said.ok(3)
        assert {row["kind"] for row in answer["missing"]} == {"assistant", "thread"}
        assert "version" in " ".join(row["reason"] for row in answer["missing"])


def test_an_estate_that_nobody_knows(small: World) -> None:
    small("snapshot", "nowhere", "-o", small.db).error(2, "nowhere", "source, target")
    small("diff", "nowhere", "source").error(2, "nowhere")


def test_plain_http_beyond_this_machine(small: World) -> None:
    small.env["OPENAI_API_KEY"] = "any"
    said = small("snapshot", "openai+http://192.0.2.1/v1", "-o", small.db)
    said.error(2, "plain http", "https")


def test_an_address_of_an_unknown_service(small: World) -> None:
    small("snapshot", "https://example.invalid", "-o", small.db).error(2, "TYPE+URL")


def test_a_key_variable_that_is_not_set(small: World) -> None:
    small.env["SOURCE_KEY"] = ""
    small("snapshot", "source", "-o", small.db).error(2, "SOURCE_KEY", "is empty")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[estates.source\n", "TOML"),
        ('[estates.source]\ntype = "openai"\nendpoint = "x"\nkey = "secret"\n', "key"),
        ('[estates.source]\ntype = "bedrock"\nendpoint = "x"\n', "type"),
    ],
)
def test_a_config_file_with_a_mistake(small: World, text: str, word: str) -> None:
    small.config.write_text(text)
    small("snapshot", "source", "-o", small.db).error(2, "estates.toml", word)


def test_an_archive_where_a_service_is_needed(small: World) -> None:
    small.snapshot()
    said = small("snapshot", small.db, "-o", small.db)
    assert (said.code, "live service" in said.err) == (2, True)


def test_a_live_estate_where_an_archive_is_needed(small: World) -> None:
    small("plan", "source", "target", "-o", small.plan).error(2, "live estate", "snapshot")
    small("ls", "source").error(2, "live estate")


def test_doctor_reports_what_works_and_what_does_not(launch: Launch) -> None:
    healthy = launch()("doctor", "source").ok(0)
    assert healthy
    retired = launch(options("SOURCE_KEY", "azure-v2", retired=True))
    assert "retired" in retired.plain("doctor", "source").out
    assert retired("doctor", "source").code == 5
