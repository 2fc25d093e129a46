"""A key, token or header value that no header can have is refused before any request, and not shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.endpoints.settings import INVISIBLE_CHARACTERS
from tests.e2e.commands import run
from tests.endpoints.connected_service import PATHS, TYPES
from tests.endpoints.scripted_server import Reply, Server, listing, serving

FIRST, SECOND = "hidden-4711-aa", "hidden-0815-bb"
SIGNS = {
    "a line feed": "\n", "a carriage return": "\r", "both": "\r\n", "a blank": " ", "DEL": "\x7f",
    "escape": "\x1b", "a tab": "\t", "an umlaut": "ü", "a typographic dash": "\u2013", "no-break": "\xa0",
    "an emoji": "\U0001f511", "a byte order mark": "\ufeff", "half a pair": "\udc80", "zero width": "\u200b",
}  # fmt: skip
BLANK = ("a line feed", "a carriage return", "both", "a blank", "a tab", "no-break", "a byte order mark")
ENTRY = """[estates.east]
type = "{type}"
endpoint = "{url}"
auth = "{auth}"
{auth}_env = "EAST_SECRET"
"""
HEADER = """[estates.east]
type = "{type}"
endpoint = "{url}"
auth = "none"
headers_env = {{"X-Gateway" = "EAST_SECRET"}}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(lambda asked: Reply(body=listing())) as running:
        yield running


def config(folder: Path, server: Server, type_: str, way: str) -> Path:
    file = folder / "estates.toml"
    text = HEADER if way == "header" else ENTRY
    file.write_text(text.format(type=type_, url=f"{server.origin}{PATHS[type_]}", auth=way), encoding="utf-8")
    return file


WAYS = [(t, w) for t in TYPES for w in ("key", "token", "header") if (t, w) != ("foundry-classic", "key")]
FEW = ("a line feed", "a blank", "DEL", "an umlaut")
CASES = [(*way, sign) for way in WAYS for sign in (SIGNS if way[0] == "foundry" else FEW)]


@pytest.mark.exhaustive(24)
@pytest.mark.parametrize("place", ["before", "within", "behind"])
@pytest.mark.parametrize(("type_", "way", "sign"), CASES)
def test_one_with_a_sign_that_no_header_takes(
    tmp_path: Path, server: Server, type_: str, way: str, place: str, sign: str
) -> None:
    odd = SIGNS[sign]
    value = {"before": odd + FIRST + SECOND, "within": FIRST + odd + SECOND, "behind": FIRST + SECOND + odd}[
        place
    ]
    done = run("doctor", "east", config=config(tmp_path, server, type_, way), env={"EAST_SECRET": value})
    assert FIRST not in done.out + done.err
    assert SECOND not in done.out + done.err
    stripped = place != "within" and sign in BLANK
    if stripped or (way == "header" and sign == "a blank"):
        sent = {
            asked.headers.get("x-gateway") if way == "header" else signature(asked) for asked in server.asked
        }
        assert sent == {value.strip(INVISIBLE_CHARACTERS)}
        assert done.code in (0, 3), done.err
    else:
        assert server.asked == []
        done.error(2, "EAST_SECRET", "cannot be sent")


def signature(asked: Any) -> str:
    return str(asked.headers.get("api-key") or asked.headers["authorization"].removeprefix("Bearer "))


@pytest.mark.parametrize("value", ["", " ", "\n", "\ufeff"])
def test_one_of_nothing_but_blanks_is_none(tmp_path: Path, server: Server, value: str) -> None:
    file = config(tmp_path, server, "openai", "key")
    run("doctor", "east", config=file, env={"EAST_SECRET": value}).error(2, "EAST_SECRET", "empty")
    assert server.asked == []


def test_a_token_with_the_word_bearer_gets_advice(tmp_path: Path, server: Server) -> None:
    file = config(tmp_path, server, "foundry", "token")
    done = run("doctor", "east", config=file, env={"EAST_SECRET": f"Bearer {FIRST}"})
    assert FIRST not in done.error(2, "which the program adds")


@pytest.mark.parametrize("key", ["key_env", "token_env"])
@pytest.mark.parametrize(
    "secret",
    ["sk-proj-0123456789abcdef", "0123456789abcdef0123456789abcdef", "a0123456789abcdef0123456789abcdef"],
)
def test_a_secret_in_the_place_of_a_variables_name_is_not_shown(
    tmp_path: Path, server: Server, key: str, secret: str
) -> None:
    file = tmp_path / "estates.toml"
    auth = key.removesuffix("_env")
    file.write_text(
        f'[estates.east]\ntype = "openai"\nendpoint = "{server.origin}/v1"\n'
        f'auth = "{auth}"\n{key} = "{secret}"\n',
        encoding="utf-8",
    )
    done = run("doctor", "east", config=file)
    done.error(2, key, "not the name")
    assert secret not in done.out + done.err


def test_a_service_that_repeats_the_key_does_not_get_it_shown(tmp_path: Path) -> None:
    secret = "sk-0123456789-abcdefghij"
    told = {"error": {"message": f"Incorrect API key provided: {secret}.", "code": "invalid_api_key"}}
    with serving(lambda asked: Reply(401, told)) as angry:
        file = config(tmp_path, angry, "openai", "key")
        for arguments in (("doctor", "east"), ("snapshot", "east", "-o", str(tmp_path / "a.db"))):
            done = run(*arguments, config=file, env={"EAST_SECRET": secret})
            assert secret not in done.error(5, "Incorrect API key provided")


def test_a_secret_that_a_service_repeats_is_in_no_file(tmp_path: Path) -> None:
    secret = "sk-0123456789-abcdefghij"
    told = {"error": {"message": f"no threads for {secret}", "code": secret}}

    def answer(asked: Any) -> Reply:
        gone = asked.path.endswith(("/threads", "/files"))
        return Reply(500, told, {"retry-after-ms": "1"}) if gone else Reply(body=listing("one"))

    with serving(answer) as angry:
        file = config(tmp_path, angry, "openai", "key")
        archive, report = tmp_path / "a.db", tmp_path / "report.html"
        env = {"EAST_SECRET": secret}
        taken = run("snapshot", "east", "-o", str(archive), "--json", config=file, env=env)
        assert "no threads for (secret)" in taken.ok(3)["missing"][0]["reason"] + taken.out
        done = run("assess", str(archive), "--to", "foundry", "-o", str(report), config=file, env=env)
        assert secret not in taken.out + taken.err + done.out + done.err
    for left in tmp_path.iterdir():
        assert secret.encode() not in left.read_bytes(), left
