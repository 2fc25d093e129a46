"""A gateway in front of a service: other headers, no sign-in, our User-Agent; and wrong settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commands import run
from tests.endpoints.connected_service import PATHS, TYPES
from tests.endpoints.scripted_server import RecordedRequest, Reply, Server, listing, serving

VALUE = "value-of-the-gateway-4711"
ENTRY = """[estates.east]
type = "{type}"
endpoint = "{url}"
auth = "{auth}"
{more}
headers_env = {{"Ocp-Apim-Subscription-Key" = "APIM_KEY", "X-Team" = "TEAM"}}
"""
ENV = {"APIM_KEY": VALUE, "TEAM": "two words", "EAST_SECRET": "secret-of-the-east-0815"}


def answer(asked: RecordedRequest) -> Reply:
    if asked.path.endswith(("/deployments", "/connections")):
        return Reply(body={"value": []})
    if asked.path.endswith("/content"):
        return Reply(body=b"x", headers={"content-type": "text/plain"})
    rows = listing("one")
    rows["data"][0] |= {"bytes": 1, "filename": "a.txt"}
    return Reply(body=rows)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(answer) as running:
        yield running


def config(folder: Path, server: Server, type_: str, auth: str, text: str = ENTRY) -> Path:
    file = folder / "estates.toml"
    more = "" if auth == "none" else f'{auth}_env = "EAST_SECRET"'
    url = f"{server.origin}{PATHS[type_]}"
    file.write_text(text.format(type=type_, url=url, auth=auth, more=more), encoding="utf-8")
    return file


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("auth", ["none", "token", "key"])
@pytest.mark.parametrize("type_", TYPES)
def test_every_request_carries_the_headers(tmp_path: Path, server: Server, type_: str, auth: str) -> None:
    if (type_, auth) == ("foundry-classic", "key"):
        pytest.skip("classic agents take no key")
    file = config(tmp_path, server, type_, auth)
    for command in (("doctor", "east"), ("snapshot", "east", "-o", str(tmp_path / "a.db"))):
        done = run(*command, config=file, env=ENV)
        assert done.code in (0, 3), done.err
        assert VALUE not in done.out + done.err
    assert len(server.asked) > 8
    for asked in server.asked:
        assert asked.headers["ocp-apim-subscription-key"] == VALUE, asked.path
        assert asked.headers["x-team"] == "two words"
        assert asked.headers["user-agent"].startswith("assistants-migrate/")
        signed = {"authorization", "api-key"} & asked.headers.keys()
        assert bool(signed) == (auth != "none"), asked


def test_a_header_of_the_gateway_replaces_that_of_the_sign_in(tmp_path: Path, server: Server) -> None:
    text = ENTRY.replace('"X-Team" = "TEAM"', '"Authorization" = "TEAM"')
    for type_ in TYPES:
        run("doctor", "east", config=config(tmp_path, server, type_, "token", text), env=ENV)
    assert {asked.headers["authorization"] for asked in server.asked} == {"two words"}


WRONG = {
    '"X Y" = "TEAM"': "no name of a header",
    '"" = "TEAM"': "no name of a header",
    '"X:Y" = "TEAM"': "no name of a header",
    '"X\\nY" = "TEAM"': "no name of a header",
    '"Host" = "TEAM"': "the HTTP client sets it",
    '"content-length" = "TEAM"': "the HTTP client sets it",
    '"Transfer-Encoding" = "TEAM"': "the HTTP client sets it",
    '"X-A" = "TEAM", "x-a" = "TEAM"': "twice",
    '"X-A" = "NOT_SET"': "NOT_SET is not set",
    '"X-A" = ""': "not the name",
    '"X-A" = "value with blanks"': "not the name",
}


@pytest.mark.parametrize("rows", WRONG)
def test_a_header_that_cannot_be_set_is_refused(tmp_path: Path, server: Server, rows: str) -> None:
    head = '[estates.east]\ntype = "openai"\nendpoint = "{url}"\nauth = "none"\n'
    file = tmp_path / "estates.toml"
    text = head.format(url=f"{server.origin}/v1") + f"headers_env = {{{rows}}}\n"
    file.write_text(text, encoding="utf-8")
    done = run("doctor", "east", config=file, env=ENV)
    assert WRONG[rows] in done.err
    assert done.code == 2
    assert server.asked == []


ADDRESSES = {
    "https://user:hidden-4711-word@east.openai.azure.com": "a user or a password",
    "https://hidden-4711-word@east.openai.azure.com": "a user or a password",
    "https://east.openai.azure.com?code=hidden-4711-word": "followed by '?'",
    "https://east.openai.azure.com/x?sig=hidden-4711-word&a=b": "followed by '?'",
    "https://east.openai.azure.com/#hidden-4711-word": "followed by '#'",
    "http://user:hidden-4711-word@127.0.0.1:1": "a user or a password",
}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("way", ["config", "bare", "typed", "unknown type"])
def test_a_credential_in_an_address_is_refused_and_not_repeated(
    tmp_path: Path, address: str, way: str
) -> None:
    file = tmp_path / "estates.toml"
    entry = f'[estates.east]\ntype = "azure-openai"\nendpoint = "{address}"\nkey_env = "EAST_SECRET"\n'
    file.write_text(entry if way == "config" else "", encoding="utf-8")
    named = {
        "config": "east",
        "bare": address,
        "typed": f"azure-openai+{address}",
        "unknown type": f"x+{address}",
    }[way]
    archive = tmp_path / "a.db"
    for command in (
        ("doctor", named),
        ("snapshot", named, "-o", str(archive)),
        ("diff", named, str(tmp_path)),
    ):
        done = run(*command, config=file, env=ENV)
        assert "hidden-4711-word" not in done.out + done.err
        assert ADDRESSES[address] in done.err
        assert done.code == 2
    assert not archive.exists()


ODD = ["https://a\nb", "http://[::1", "https://", "east", "ftp://x", "https://x:99999", "https://x:-1", "https://x:0",
       "https://x:y", "https://a b", "https://a\\@b", "//x", "http://example.com", "https://[zz]/", "https:///x",
       "https://x\x00y", "https://.", "https://..", "https://xn--", "https://" + "a" * 300]  # fmt: skip


@pytest.mark.parametrize("address", ODD)
def test_an_address_that_is_none_ends_in_words(tmp_path: Path, address: str) -> None:
    import json

    file = tmp_path / "estates.toml"
    entry = f'[estates.east]\ntype = "openai"\nendpoint = {json.dumps(address)}\nkey_env = "EAST_SECRET"\n'
    file.write_text(entry, encoding="utf-8")
    for named in ("east", f"openai+{address}"):
        if "\x00" in named and named != "east":
            continue
        done = run("doctor", named, config=file, env=ENV)
        assert done.code in (2, 5), done.err
        assert "Traceback" not in done.err
        assert "error: " in done.err


def test_certificates_are_beside_the_config_file_and_checked_first(tmp_path: Path) -> None:
    file = tmp_path / "estates.toml"
    entry = '[estates.east]\ntype = "openai"\nendpoint = "https://127.0.0.1:9/v1"\nkey_env = "EAST_SECRET"\n'
    file.write_text(f'{entry}ca_file = "company.pem"\n', encoding="utf-8")
    run("doctor", "east", config=file, env=ENV).error(2, "ca_file of east", str(tmp_path / "company.pem"))
    (tmp_path / "company.pem").write_text("", encoding="utf-8")
    run("doctor", "east", config=file, env=ENV).error(2, "ca_file of east", "PEM")


@pytest.mark.parametrize(("key", "value"), [("cloud", "mars"), ("auth", "nothing"), ("headers_env", "X")])
def test_a_word_that_no_setting_knows_is_refused(tmp_path: Path, key: str, value: str) -> None:
    file = tmp_path / "estates.toml"
    entry = '[estates.east]\ntype = "openai"\nendpoint = "https://127.0.0.1:9/v1"\n'
    file.write_text(f'{entry}{key} = "{value}"\n', encoding="utf-8")
    run("doctor", "east", config=file, env=ENV).error(2, f"estates.east.{key}")
