"""Access: the key, the cookie, host names, other origins; and the security headers of every answer."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from urllib.parse import quote

import pytest

from migrate.serve.gate import ANSWER_HEADERS
from migrate.serve.key_guard import MAX_WRONG_KEY_DELAY_S, KeyGuard, WrongKey
from migrate.serve.request_headers import host_name
from tests.serve.client import KEY, Client

API_PATH = "/v1/assistants"
PAGES = ("/", "/snapshots/1/", "/snapshots/", "/nowhere", "/snapshots/99/", "/static/base.css", API_PATH)


@pytest.fixture
def anonymous(client: Client) -> Client:
    return Client(client.server)


@pytest.mark.parametrize("path", ["/", "/snapshots/1/", "/snapshots/", "/snapshots/1/threads", "/nowhere"])
def test_without_the_key_a_page_asks_for_it_and_shows_nothing(anonymous: Client, path: str) -> None:
    answer = anonymous.send(path)
    assert answer.status == 401
    assert answer.is_page
    assert "needs the key" in answer.text
    assert "east.example.com" not in answer.text


def test_the_key_becomes_a_cookie_and_leaves_the_address(anonymous: Client) -> None:
    answer = anonymous.send(f"/?key={KEY}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert KEY not in cookie
    assert f"-{anonymous.port}=" in cookie, "cookies of all ports of a host are one set"
    opened = replace(anonymous, cookie=cookie.partition(";")[0])
    assert opened.send("/snapshots/1/").status == 200


def test_behind_a_link_of_another_site_the_page_goes_on_by_itself(anonymous: Client) -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    answer = anonymous.send(f"/?key={KEY}&next=/snapshots/1/", **link)
    assert answer.status == 200
    assert '<meta http-equiv="refresh" content="0; url=/snapshots/1/">' in answer.text
    assert "set-cookie" in answer.headers


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], f"{KEY}x", "é" * 30, "x" * 5_000, "%00", "%ff"])
def test_a_wrong_key_opens_nothing(anonymous: Client, key: str) -> None:
    answer = anonymous.send(f"/?key={quote(key, safe='%')}")
    assert answer.status == 401
    assert "This is not the key." in answer.text
    assert "set-cookie" not in answer.headers
    for headers in ({"api_key": key.encode("ascii", "replace").decode()}, {"authorization": "Bearer wrong"}):
        assert anonymous.send(API_PATH, **headers).status == 401


@pytest.mark.parametrize(
    "cookie", ["", "x", f"k={KEY}", "{name}=", "{name}=0", f"{{name}}={KEY}", "{name}=é"]
)
def test_a_made_up_cookie_opens_nothing(client: Client, cookie: str) -> None:
    name = client.cookie.partition("=")[0]
    given = cookie.format(name=name).encode().decode("latin-1")
    assert client.send("/snapshots/1/", cookie=given).status == 401


@pytest.mark.parametrize(
    "headers", [{"api_key": KEY}, {"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"}]
)
def test_an_application_sends_the_key_in_a_header(anonymous: Client, headers: dict[str, str]) -> None:
    assert anonymous.send(API_PATH, **headers).status not in (401, 403, 421)
    assert anonymous.send("/snapshots/1/", **headers).status == 401, "pages have a cookie"


def test_the_api_takes_no_cookie_and_no_key_in_an_address(client: Client) -> None:
    for path in (API_PATH, f"{API_PATH}?key={KEY}", f"{API_PATH}?api-key={KEY}"):
        answer = client.send(path)
        assert answer.status == 401
        assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "next_",
    ["//evil.example/", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "/a b", "x", ""],
)
def test_after_the_key_nobody_is_led_elsewhere(anonymous: Client, next_: str) -> None:
    assert anonymous.send(f"/?key={KEY}&next={quote(next_)}").headers["location"] == "/"


@pytest.mark.parametrize("path", ["//evil.example/", "//evil.example/%2e%2e", "/\\evil.example"])
def test_the_page_that_asks_for_the_key_leads_nowhere_else(anonymous: Client, path: str) -> None:
    answer = anonymous.send(path)
    assert answer.status == 401
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("path", ["/snapshots/1/", "/snapshots/1/threads", "/nowhere"])
def test_a_key_does_not_stay_in_the_address_of_a_page(client: Client, anonymous: Client, path: str) -> None:
    for visitor in (client, anonymous):
        answer = visitor.send(f"{path}?a=1&key={KEY}&b=%22")
        assert (answer.status, answer.headers["location"]) == (303, f"{path}?a=1&b=%22")
        assert "set-cookie" in answer.headers
    wrong = anonymous.send(f"{path}?key=wrong&a=1")
    assert wrong.status == 401
    assert f'value="{path}?a=1"' in wrong.text
    assert anonymous.send(f"/?key={KEY}&next={quote(f'{path}?key={KEY}')}").headers["location"] == "/"


def test_the_key_leads_to_the_page_that_was_asked_for(anonymous: Client) -> None:
    asked = "/snapshots/1/threads?after=2026-01-01&q=%22a%22"
    assert f'value="{asked.replace("&", "&amp;")}"' in anonymous.send(asked).text
    assert anonymous.send(f"/?key={KEY}&next={quote(asked)}").headers["location"] == asked


# ------------------------------------------------------------------------------------ hosts and origins


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::1]:9", "127.0.0.1:1"]
)
def test_names_of_this_machine_are_served(client: Client, host: str) -> None:
    assert client.send("/snapshots/1/", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8002",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "",
        "[",
        "0",
        "user@127.0.0.1",
        "127.0.0.1/x",
        "127.0.0.1#x",
        "127.0.0.1:x",
        "localhost..",
        "127.1",
        "[::1",
    ],
)
@pytest.mark.parametrize("path", ["/snapshots/1/", "/static/base.css", f"/?key={KEY}", API_PATH])
def test_a_host_of_somebody_else_is_refused(client: Client, host: str, path: str) -> None:
    answer = client.send(path, host=host, api_key=KEY)
    assert answer.status == 421, answer.text
    assert "east.example.com" not in answer.text
    assert "set-cookie" not in answer.headers


def test_host_name_reads_what_a_browser_sends() -> None:
    assert host_name("[::1]:8002") == "::1"
    assert host_name("Archive.Example.COM.:443") == "archive.example.com"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors", "sec_fetch_dest": "empty"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
        {"sec_fetch_site": "cross-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/snapshots/1/", API_PATH])
def test_what_a_page_of_another_origin_sends_is_refused(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    answer = client.send(path, api_key=KEY, **headers)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_link_and_a_page_of_this_server_are_let_through(client: Client) -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert client.send("/snapshots/1/", **link).status == 200
    own = {"origin": f"http://127.0.0.1:{client.port}", "sec_fetch_site": "same-origin"}
    assert client.send("/snapshots/1/", **own).status == 200


# -------------------------------------------------------------------------------- methods and bodies


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/snapshots/1/", "/static/base.css", f"/?key={KEY}"])
def test_pages_are_only_read(client: Client, method: str, path: str) -> None:
    answer = client.send(path, method, b"x=1")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("size", [1, 200_000])
def test_a_page_takes_no_body(client: Client, size: int) -> None:
    assert client.send("/snapshots/1/", body=b"x" * size).status == 413
    assert client.send("/snapshots/1/", content_length="0").status == 200


def test_head_is_get_without_a_body(client: Client) -> None:
    answer = client.send("/snapshots/1/", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_security_headers(client: Client, path: str) -> None:
    for answer in (client.send(path), client.send(path, cookie="x"), client.send(path, host="evil.example")):
        assert {name: answer.headers.get(name) for name in ANSWER_HEADERS} == ANSWER_HEADERS
        assert "server" not in answer.headers
        assert "'unsafe" not in answer.headers["content-security-policy"]


# ------------------------------------------------------------------------------------ slowed down


def test_wrong_keys_are_answered_one_after_another_and_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    ours, pause = threading.get_ident(), asyncio.sleep

    async def sleep(seconds: float) -> None:
        if threading.get_ident() != ours:  # the server of another test may still run in its thread
            await pause(seconds)
            return
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    guard = KeyGuard(KEY, 0.2)

    async def attempt(key: str) -> str:
        try:
            await guard.check(key)
        except WrongKey as wrong:
            return "too often" if wrong.is_too_often else "wrong"
        return "right"

    async def attempts(*keys: str) -> list[str]:
        return await asyncio.gather(*map(attempt, keys))

    assert asyncio.run(attempts("a", "b", "c")) == ["wrong"] * 3
    assert waits == [0.2, 0.4, 0.8]
    for number in range(9):
        asyncio.run(attempts(f"x{number}"))
    assert max(waits) == MAX_WRONG_KEY_DELAY_S
    assert asyncio.run(attempts(KEY)) == ["right"]
    waits.clear()
    asyncio.run(attempts("y"))
    assert waits == [0.2], "a right key ends the series"
    asyncio.run(attempts("y", "y"))
    assert waits == [0.2] * 3, "a wrong key that is known takes no turn"


def test_while_many_wrong_keys_wait_no_key_is_compared() -> None:
    """Else keys could be tried as fast as the server answers, from many connections."""
    guard = KeyGuard(KEY, 60)

    async def attempt(key: str) -> str:
        try:
            await guard.check(key)
        except WrongKey as wrong:
            return "too often" if wrong.is_too_often else "wrong"
        return "right"

    async def flood() -> tuple[str, list[str]]:
        wrong = [asyncio.create_task(attempt(f"x{number}")) for number in range(30)]
        await asyncio.sleep(0)
        right = await attempt(KEY)
        for task in wrong:
            task.cancel()
        await asyncio.gather(*wrong, return_exceptions=True)
        return right, [task.result() for task in wrong if not task.cancelled()]

    right, refused = asyncio.run(flood())
    assert refused == ["too often"] * 20
    assert right == "too often"
    assert asyncio.run(attempt(KEY)) == "right", "nothing waits any more"


def test_one_old_key_of_an_application_keeps_nobody_out() -> None:
    guard = KeyGuard(KEY, 0.01)

    async def attempts() -> None:
        with pytest.raises(WrongKey):
            await guard.check("old")
        old = [asyncio.create_task(guard.check("old")) for _ in range(30)]
        await asyncio.sleep(0)
        await guard.check(KEY)
        results = await asyncio.gather(*old, return_exceptions=True)
        assert all(isinstance(result, WrongKey) and not result.is_too_often for result in results)

    asyncio.run(attempts())


def test_a_cookie_says_nothing_about_the_key() -> None:
    """With a function of the key, keys could be tried without this server."""
    first, second = KeyGuard(KEY, 0), KeyGuard(KEY, 0)
    assert first.cookie_value() != second.cookie_value()
    assert first.has_cookie(first.cookie_value())
    assert not first.has_cookie(second.cookie_value())


def test_a_ticket_opens_once(client: Client, anonymous: Client) -> None:
    path = f"/?{client.server.one_time_url().partition('?')[2]}"
    assert anonymous.send(path).status == 303
    assert anonymous.send(path).status == 401
