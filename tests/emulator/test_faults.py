"""Faults by a file: each kind does what it says, to the requests it says, and again the same way."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from migrate.emulator import Emulator, Options
from migrate.emulator.faults.parser import KINDS

KEY = "secret-of-this-test"
ASSISTANTS, THREADS, STORES = "/assistants", "/threads", "/vector_stores"
PREFIX = {"azure-openai": "/openai", "openai": "/v1", "foundry": "/api/projects/demo"}
QUERY = {"azure-openai": "api-version=2025-03-01-preview", "openai": "", "foundry": "api-version=v1"}
BROKEN = (ConnectionError, http.client.HTTPException)


@dataclass
class Spoiled:
    """A running service with faults, asked below every SDK, one connection for each request."""

    cloud: Emulator

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes, dict[str, str]]:
        service = self.cloud.options.service
        connection = http.client.HTTPConnection(urlsplit(self.cloud.url).netloc)
        headers = {"authorization": f"Bearer {KEY}", "openai-beta": "assistants=v2"}
        sign = "&" if "?" in path else "?"
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, f"{PREFIX[service]}{path}{sign}{QUERY[service]}", sent, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, content, _ = self.raw(method, path, body)
        return status, json.loads(content)

    def statuses(self, number: int, method: str = "GET", path: str = ASSISTANTS) -> list[int]:
        return [self.raw(method, path)[0] for _ in range(number)]

    def threads(self, number: int) -> list[str]:
        for _ in range(number):
            assert self("POST", THREADS, {})[0] == 200
        return list(self.cloud.estate.threads)

    def page(self, after: str = "", limit: int = 2) -> tuple[int, Any]:
        cursor = f"&after={after}" if after else ""
        return self("GET", f"{THREADS}?limit={limit}&order=asc{cursor}")

    def walk(self) -> list[str]:
        """Ids of the threads, as somebody reads them who believes every page."""
        found: list[str] = []
        while True:
            status, page = self.page(found[-1] if found else "")
            assert status == 200, page
            found += [row["id"] for row in page["data"]]
            if not page["has_more"] or len(found) > 20:
                return found


Start = Callable[..., Spoiled]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(*rows: dict[str, Any], seed: int = 1, **options: Any) -> Spoiled:
            file = tmp_path / "faults.json"
            file.write_text(json.dumps({"seed": seed, "fault": rows}), encoding="utf-8")
            given = {"ingestion_seconds": 0, "list_threads": "works", **options}
            return Spoiled(stack.enter_context(Emulator(Options(key=KEY, faults=file, **given))))

        yield started


# ------------------------------------------------------------------------------ which requests


@pytest.mark.parametrize(
    ("which", "hit"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"nth": [1, 4]}, [1, 4]),
        ({"from": 5}, [5, 6]),
        ({"times": 2}, [1, 2]),
        ({"from": 2, "times": 3}, [2, 3, 4]),
        ({"method": "POST"}, []),
        ({"method": ["POST", "GET"], "nth": 1}, [1]),
        ({"path": "*/assistants", "nth": 2}, [2]),
        ({"path": "*/assistant"}, []),
        ({"path": "/openai/*", "nth": 6}, [6]),
    ],
)
def test_a_row_says_which_requests(start: Start, which: dict[str, Any], hit: list[int]) -> None:
    spoiled = start({"what": "error", "status": 503, **which})
    found = spoiled.statuses(6)
    assert [place for place, status in enumerate(found, 1) if status == 503] == hit
    assert set(found) <= {200, 503}
    assert [line.row for line in spoiled.cloud.faults.applied] == [1] * len(hit)


def lot(start: Start, seed: int, *others: dict[str, Any]) -> list[int]:
    return start({"what": "error", "share": 0.3}, *others, seed=seed).statuses(60)


def test_the_same_seed_gives_the_same_sequence(start: Start) -> None:
    first, again, other = lot(start, 1), lot(start, 1), lot(start, 2)
    assert first == again != other
    assert 6 <= first.count(500) <= 30


def test_a_row_does_not_change_the_luck_of_another(start: Start) -> None:
    alone = lot(start, 1)
    beside = lot(start, 1, {"what": "error", "status": 503, "share": 0.5})
    assert [status == 500 for status in alone] == [status == 500 for status in beside]
    assert 503 in beside


def test_the_first_row_whose_turn_it_is_wins(start: Start) -> None:
    rows = [{"what": "error", "status": 501 + number, "nth": 2} for number in range(2)]
    assert start(*rows).statuses(3) == [200, 501, 200]


# --------------------------------------------------------------------------------- what they do


@pytest.mark.parametrize(
    ("asks", "header", "value"),
    [
        ({"retry_after_ms": 250}, "retry-after-ms", "250"),
        ({"retry_after": 2}, "retry-after", "2"),
        ({"retry_after": 86400}, "retry-after", "86400"),
    ],
)
@pytest.mark.parametrize("what", ["too-many", "error"])
def test_it_asks_to_wait(start: Start, what: str, asks: dict[str, Any], header: str, value: str) -> None:
    status, _, headers = start({"what": what, **asks}).raw("GET", ASSISTANTS)
    assert status == (429 if what == "too-many" else 500)
    assert {name: v for name, v in headers.items() if name.startswith("retry")} == {header: value}


def test_it_asks_to_wait_until_a_date_or_does_not_ask(start: Start) -> None:
    dated = start({"what": "too-many", "retry_after_date": 60}).raw("GET", ASSISTANTS)[2]
    assert 50 < parsedate_to_datetime(dated["retry-after"]).timestamp() - time.time() <= 60
    assert not [name for name in start({"what": "too-many"}).raw("GET", ASSISTANTS)[2] if "retry" in name]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("done", [False, True])
def test_an_error_may_hide_that_it_was_carried_out(start: Start, status: int, done: bool) -> None:
    spoiled = start({"what": "error", "status": status, "done": done, "nth": 1})
    assert spoiled("POST", THREADS, {})[0] == status
    assert len(spoiled.cloud.estate.threads) == int(done)


@pytest.mark.parametrize("service", ["azure-openai", "openai", "foundry"])
def test_an_error_is_in_the_words_of_the_service(start: Start, service: str) -> None:
    _, body = start({"what": "too-many"}, service=service)("GET", ASSISTANTS)
    wanted = {"message", "type", "param", "code"} if service == "openai" else {"code", "message"}
    assert body["error"].keys() == wanted


def test_a_page_of_a_gateway(start: Start) -> None:
    status, content, headers = start({"what": "html"}).raw("GET", ASSISTANTS)
    assert (status, headers["content-type"]) == (502, "text/html")
    assert content.startswith(b"<html>")


@pytest.mark.parametrize(("what", "arrived"), [("cut", 0), ("lost", 1)])
@pytest.mark.parametrize("text", ["short", "long" * 100_000])
def test_the_connection_is_cut(start: Start, what: str, arrived: int, text: str) -> None:
    spoiled = start({"what": what, "nth": 1})
    message = {"role": "user", "content": [{"type": "text", "text": text[:200_000]}]}
    with pytest.raises(BROKEN):
        spoiled("POST", THREADS, {"messages": [message]})
    assert len(spoiled.cloud.estate.threads) == arrived
    assert spoiled("GET", THREADS)[0] == 200


def test_a_body_ends_too_early(start: Start) -> None:
    spoiled = start({"what": "truncated", "nth": 1}, {"what": "truncated", "nth": 2, "length": "kept"})
    with pytest.raises(http.client.IncompleteRead):
        spoiled.raw("POST", THREADS, {})
    status, content, headers = spoiled.raw("POST", THREADS, {"metadata": {"a": "b"}})
    assert (status, len(content)) == (200, int(headers["content-length"]))
    with pytest.raises(json.JSONDecodeError):
        json.loads(content)
    assert len(spoiled.cloud.estate.threads) == 2


def test_a_slow_body_is_whole(start: Start) -> None:
    spoiled = start({"what": "slow", "seconds": 0.3, "method": "GET"})
    spoiled.threads(3)
    began = time.monotonic()
    assert len(spoiled.walk()) == 3
    assert time.monotonic() - began >= 0.5  # two pages


def test_a_page_of_a_listing_fails_for_good(start: Start) -> None:
    spoiled = start({"what": "error", "path": "*/threads", "page": 3})
    ids = spoiled.threads(7)
    assert spoiled.page()[0] == 200
    assert spoiled.page(ids[1])[0] == 200
    assert {spoiled.page(ids[3])[0] for _ in range(5)} == {500}
    assert spoiled.page(ids[1])[0] == 200, "earlier pages stay"
    assert spoiled.page(limit=3)[0] == spoiled.page(ids[2], limit=3)[0] == 200
    assert spoiled.page(ids[5], limit=3)[0] == 500


@pytest.mark.parametrize(
    ("change", "left"),
    [("insert", "0123456+"), ("delete-seen", "123456"), ("delete-ahead", "012345")],
)
def test_a_listing_moves_while_it_is_read(start: Start, change: str, left: str) -> None:
    spoiled = start({"what": "moving", "path": "*/threads", "change": change, "times": 1})
    ids = spoiled.threads(7)
    found = spoiled.walk()
    names = {id_: str(place) for place, id_ in enumerate(ids)}
    after = "".join(names.get(id_, "+") for id_ in spoiled.cloud.estate.threads)
    assert after == left
    shown = "".join(names.get(id_, "+") for id_ in found)
    assert shown == ("0" + left if change == "delete-seen" else left)


def test_the_object_at_the_cursor_goes(start: Start) -> None:
    spoiled = start({"what": "moving", "path": "*/threads", "change": "delete-cursor", "times": 1})
    ids = spoiled.threads(5)
    assert spoiled.page(ids[1])[0] == 400, "the service does not know the cursor any more"
    assert ids[1] not in spoiled.cloud.estate.threads


def test_a_listing_below_another_moves_too(start: Start) -> None:
    spoiled = start({"what": "moving", "change": "insert", "path": "*/messages", "times": 1})
    (thread,) = spoiled.threads(1)
    for _ in range(3):
        spoiled("POST", f"{THREADS}/{thread}/messages", {"role": "user", "content": "again"})
    first = next(iter(spoiled.cloud.estate.messages[thread]))
    _, page = spoiled("GET", f"{THREADS}/{thread}/messages?limit=2&order=asc&after={first}")
    assert (len(spoiled.cloud.estate.messages[thread]), page["has_more"]) == (4, True)


def test_a_service_that_ignores_the_cursor(start: Start) -> None:
    spoiled = start({"what": "ignores-after", "path": "*/threads"})
    ids = spoiled.threads(3)
    assert spoiled.page(ids[1]) == spoiled.page()


@pytest.mark.parametrize("outcome", ["failed", "stuck"])
def test_files_that_do_not_get_into_a_store(start: Start, outcome: str) -> None:
    from tests.emulator.conftest import connect

    spoiled = start({"what": "ingestion", "file": "*.md", "outcome": outcome})
    api = connect(spoiled.cloud)
    good, bad = api.file("a.txt"), api.file("b.md")
    store = api.ok("POST", STORES, {"file_ids": [good, bad]})["id"]
    counts = api.ok("GET", f"{STORES}/{store}")["file_counts"]
    wanted = {"completed": 1, "failed": 1} if outcome == "failed" else {"completed": 1, "in_progress": 1}
    assert {status: number for status, number in counts.items() if number} == {**wanted, "total": 2}
    entry = api.ok("GET", f"{STORES}/{store}/files/{bad}")
    assert bool(entry["last_error"]) == (outcome == "failed")
    api.client.close()


@pytest.mark.parametrize("service", ["azure-openai", "openai", "foundry"])
def test_routes_retire_in_mid_run(start: Start, service: str) -> None:
    spoiled = start({"what": "retired", "from": 3}, service=service)
    retired = Spoiled(Emulator(Options(service=service, key=KEY, retired=True)).start())  # type: ignore[arg-type]
    assert spoiled.statuses(4) == [200, 200, 404, 404]
    assert spoiled("GET", ASSISTANTS) == retired("GET", ASSISTANTS)
    assert spoiled.statuses(1, path="/files") == retired.statuses(1, path="/files")
    retired.cloud.stop()


@pytest.mark.parametrize("service", ["azure-openai", "openai", "foundry"])
def test_a_token_expires_in_mid_run(start: Start, service: str) -> None:
    spoiled = start({"what": "expired", "from": 2}, service=service)
    assert spoiled.statuses(3) == [200, 401, 401]
    assert "error" in spoiled("POST", THREADS, {})[1]
    assert not spoiled.cloud.estate.threads


@pytest.mark.parametrize(
    ("answer", "status", "told"), [("deleted", 200, True), ("kept", 200, False), ("empty", 204, None)]
)
def test_a_deletion_is_answered_and_nothing_is_deleted(
    start: Start, answer: str, status: int, told: bool | None
) -> None:
    spoiled = start({"what": "undeleted", "answer": answer, "method": ["POST", "DELETE"]})
    (thread,) = spoiled.threads(1)
    found, content, _ = spoiled.raw("DELETE", f"{THREADS}/{thread}")
    assert found == status
    assert (json.loads(content)["deleted"] if content else None) is told
    assert list(spoiled.cloud.estate.threads) == [thread]


def test_every_kind_is_tried_here_or_beside() -> None:
    files = sorted(Path(__file__).parent.glob("test_faults*.py"))
    text = "".join(file.read_text(encoding="utf-8") for file in files).replace('what="', '"')
    assert [what for what in KINDS if f'"{what}"' not in text] == []


# ---------------------------------------------------------------------------------- dishonest listings


@pytest.mark.parametrize("comes", ["newest-first", "oldest-first"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_order_is_ignored_and_the_rest_of_the_query_is_not(start: Start, comes: str, order: str) -> None:
    spoiled = start({"what": "ignores-order", "path": "*/threads", "comes": comes})
    made = spoiled.threads(3)
    status, answer = spoiled("GET", f"{THREADS}?limit=2&order={order}")
    wanted = made if comes == "oldest-first" else made[::-1]
    assert status == 200
    assert [row["id"] for row in answer["data"]] == wanted[:2]
    assert answer["has_more"] is True
    assert spoiled.walk() == wanted if order == "asc" else True


def test_a_page_that_ends_early_says_that_it_is_the_last(start: Start) -> None:
    spoiled = start({"what": "ends-early", "path": "*/threads", "page": 1})
    made = spoiled.threads(3)
    assert spoiled.walk() == made[:2]
    assert [row["id"] for row in spoiled.page(made[1])[1]["data"]] == made[2:]


def test_an_envelope_may_say_nothing_but_its_rows(start: Start) -> None:
    spoiled = start({"what": "no-has-more", "path": "*/threads"})
    spoiled.threads(1)
    assert spoiled.page()[1].keys() == {"object", "data"}


def test_a_store_counts_more_files_than_it_lists(start: Start) -> None:
    spoiled = start({"what": "counts-more", "path": "*/vector_stores*", "method": "GET", "more": 2})
    store = spoiled("POST", STORES, {"name": "papers"})[1]
    assert store["file_counts"]["total"] == 0
    assert spoiled("GET", f"{STORES}/{store['id']}")[1]["file_counts"]["total"] == 2
    assert [row["file_counts"]["total"] for row in spoiled("GET", STORES)[1]["data"]] == [2]


def test_an_error_is_not_altered(start: Start) -> None:
    spoiled = start({"what": "counts-more"}, {"what": "ends-early"})
    assert spoiled("GET", f"{STORES}/vs_none")[0] == 404


PICTURE = "message.input_image.image_url"


def test_include_is_refused_whole_or_for_one_value(start: Start) -> None:
    anything = start({"what": "refuses-include"})
    assert anything("GET", f"{THREADS}?include%5B%5D={PICTURE}")[0] == 400
    assert anything("GET", THREADS)[0] == 200
    one = start({"what": "refuses-include", "value": PICTURE})
    assert one("GET", f"{THREADS}?include%5B%5D=reasoning.encrypted_content")[0] == 200
    assert (
        one("GET", f"{THREADS}?include%5B%5D=reasoning.encrypted_content&include%5B%5D={PICTURE}")[0] == 400
    )


ITEMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    PICTURE: (
        {"type": "message", "content": [{"type": "input_image", "image_url": "https://example.com/p.png"}]},
        {"type": "message", "content": [{"type": "input_image", "image_url": None, "file_id": None}]},
    ),
    "code_interpreter_call.outputs": (
        {"type": "code_interpreter_call", "outputs": [{"type": "logs", "logs": "4"}]},
        {"type": "code_interpreter_call", "outputs": None},
    ),
    "file_search_call.results": ({"type": "file_search_call", "results": []}, {"type": "file_search_call"}),
    "web_search_call.action.sources": (
        {"type": "web_search_call", "action": {"query": "q", "sources": []}},
        {"type": "web_search_call", "action": {"query": "q"}},
    ),
    "reasoning.encrypted_content": (
        {"type": "reasoning", "encrypted_content": "abc"},
        {"type": "reasoning"},
    ),
    "computer_call_output.output.image_url": (
        {"type": "computer_call_output", "output": {"image_url": "https://example.com/s.png"}},
        {"type": "computer_call_output", "output": {}},
    ),
}


@pytest.mark.parametrize("what", ["hides-content", "ignores-include"])
@pytest.mark.parametrize("value", ITEMS)
def test_content_is_shown_to_who_asks_for_it_or_to_nobody(start: Start, value: str, what: str) -> None:
    shown, hidden = ITEMS[value]
    answered = shown if what == "hides-content" else hidden
    spoiled = start({"what": what}, service="foundry")
    estate = spoiled.cloud.estate
    estate.conversations["conv_1"] = {
        "id": "conv_1",
        "object": "conversation",
        "created_at": 1,
        "metadata": {},
    }
    estate.items["conv_1"]["item_1"] = {"id": "item_1", **shown}
    at = f"{PREFIX['foundry']}/openai/v1/conversations/conv_1/items"

    def asked(path: str) -> Any:
        connection = http.client.HTTPConnection(urlsplit(spoiled.cloud.url).netloc)
        connection.request("GET", path, None, {"authorization": f"Bearer {KEY}"})
        try:
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    assert asked(at)["data"] == [{"id": "item_1", **hidden}]
    assert asked(f"{at}/item_1") == {"id": "item_1", **hidden}
    assert asked(f"{at}?include%5B%5D={value}")["data"] == [{"id": "item_1", **answered}]
    assert asked(f"{at}/item_1?include%5B%5D={value}") == {"id": "item_1", **answered}
