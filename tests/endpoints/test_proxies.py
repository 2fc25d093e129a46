"""Which proxy is used: none for this machine, whatever is set; it is shown without its password."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from migrate.endpoints.http.client import proxy_for
from migrate.errors import BadUsage, RequestFailed
from migrate.model.known_secrets import PROCESS_SECRETS
from tests.endpoints.connected_service import PATHS, TYPES, connected, settings
from tests.endpoints.scripted_server import RecordedRequest, Reply, in_turn, listing, serving

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
EAST = "https://east.openai.azure.com"

CASES: list[tuple[dict[str, str], str, str | None]] = [
    ({}, EAST, None),
    ({"HTTPS_PROXY": "http://proxy.example:3128"}, EAST, "http://proxy.example:3128"),
    ({"https_proxy": "http://proxy.example:3128"}, EAST, "http://proxy.example:3128"),
    ({"ALL_PROXY": "http://proxy.example:3128"}, EAST, "http://proxy.example:3128"),
    ({"HTTPS_PROXY": "proxy.example:3128"}, EAST, "http://proxy.example:3128"),
    ({"HTTPS_PROXY": "http://user:pass-of-proxy@proxy.example"}, EAST, "http://proxy.example"),
    ({"HTTP_PROXY": "http://proxy.example:3128"}, EAST, None),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, EAST, None),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "openai.azure.com"}, EAST, None),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".openai.azure.com"}, EAST, None),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x.example, EAST.openai.azure.com"}, EAST, None),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "east.openai.azure.com:443"}, EAST, None),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "east.openai.azure.com:8443"}, EAST, "http://p:1"),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "nai.azure.com"}, EAST, "http://p:1"),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3", None),
    ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "https://11.1.2.3", "http://p:1"),
]
LOOPBACK = (
    "http://127.0.0.1:8001",
    "https://127.0.0.1:8001",
    "http://localhost:1",
    "http://[::1]:1",
    "http://127.8.9.1",
)


@contextmanager
def env(**named: str) -> Iterator[None]:
    """An environment with these and no other proxies. Lower-case variables are removed, because they have
    precedence."""
    with patch.dict(os.environ):
        for name in NAMES:
            os.environ.pop(name, None)
            os.environ.pop(name.lower(), None)
        os.environ.update(named)
        yield


@pytest.mark.parametrize(("named", "url", "shown"), CASES)
def test_the_environment_names_it_as_it_does_for_curl(
    named: dict[str, str], url: str, shown: str | None
) -> None:
    with env(**named):
        proxy = proxy_for(url)
    assert (proxy.display_url if proxy else None) == shown


@pytest.mark.parametrize("url", LOOPBACK)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"])
def test_this_machine_is_reached_directly(name: str, url: str) -> None:
    with env(**{name: "http://127.0.0.1:9", "NO_PROXY": "elsewhere.example"}):
        assert proxy_for(url) is None


@pytest.mark.parametrize("type_", TYPES)
def test_no_request_to_this_machine_passes_a_proxy(type_: str) -> None:
    with serving(in_turn(Reply(502, b"I am a proxy"))) as proxy:
        named = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), proxy.origin)
        with env(**named), connected(type_, in_turn(Reply(body=listing("one")))) as (writer, _):
            for kind in ("assistant", "file"):
                assert [body["id"] for page in writer.pages(kind) for body in page.bodies] == ["one"]
        assert proxy.asked == []


@pytest.mark.parametrize("type_", TYPES)
def test_a_proxy_that_was_used_is_named_in_the_failure(type_: str) -> None:
    from migrate.endpoints import connect_reader
    from migrate.errors import ServiceUnreachable

    PROCESS_SECRETS.forget_all()
    refusals: list[RecordedRequest] = []

    def refuse(asked: RecordedRequest) -> Reply:
        refusals.append(asked)
        return Reply(407, b"no")

    with serving(refuse) as proxy:
        address = proxy.origin.replace("http://", "http://user:pass-of-the-proxy@")
        with env(HTTPS_PROXY=address), pytest.raises((ServiceUnreachable, RequestFailed)) as failed:
            connect_reader(settings(type_, f"https://east.example{PATHS[type_]}")).probe()
    told = f"{failed.value} {getattr(failed.value, 'why', '')}"
    assert f"through the proxy {proxy.origin}" in told
    assert "pass-of-the-proxy" not in told


@pytest.mark.parametrize(
    "address",
    [
        "http://[::1",
        "http://p:99999",
        "http://p:-1",
        "socks5://user:hidden-4711-word@p:1",
        "ftp://p",
        "http://",
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_by_the_name_of_its_variable(address: str) -> None:
    with env(HTTPS_PROXY=address), pytest.raises(BadUsage, match="HTTPS_PROXY") as failed:
        proxy_for(EAST)
    assert "hidden-4711-word" not in " ".join(failed.value.lines())
