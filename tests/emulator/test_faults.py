"""Faults of a file: each kind does what it should, to the selected requests, in the same way every time."""

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
class FaultyService:
    """A running service with faults. Requests are sent without an SDK, each on its own connection."""

    emulator: Emulator

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes, dict[str, str]]:
        service = self.emulator.options.service
        connection = http.client.HTTPConnection(urlsplit(self.emulator.url).netloc)
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
        return list(self.emulator.estate.threads)

    def page(self, after: str = "", limit: int = 2) -> tuple[int, Any]:
        cursor = f"&after={after}" if after else ""
        return self("GET", f"{THREADS}?limit={limit}&order=asc{cursor}")

    def read_all_pages(self) -> list[str]:
        """Ids of the threads, read by a client without any checks of pages."""
        found: list[str] = []
        while True:
            status, page = self.page(found[-1] if found else "")
            assert status == 200, page
            found += [row["id"] for row in page["data"]]
            if not page["has_more"] or len(found) > 20:
                return found


Start = Callable[..., FaultyService]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(*rows: dict[str, Any], seed: int = 1, **options: Any) -> FaultyService:
            file = tmp_path / "faults.json"
            file.write_text(json.dumps({"seed": seed, "fault": rows}), encoding="utf-8")
            settings = {"ingestion_seconds": 0, "list_threads": "works", **options}
            return FaultyService(stack.enter_context(Emulator(Options(key=KEY, faults=file, **settings))))

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
def test_a_row_selects_requests(start: Start, which: dict[str, Any], hit: list[int]) -> None:
    faulty = start({"what": "error", "status": 503, **which})
    statuses = faulty.statuses(6)
    assert [place for place, status in enumerate(statuses, 1) if status == 503] == hit
    assert set(statuses) <= {200, 503}
    assert [line.row for line in faulty.emulator.faults.applied] == [1] * len(hit)


def failing_requests(start: Start, seed: int, *others: dict[str, Any]) -> list[int]:
    return start({"what": "error", "share": 0.3}, *others, seed=seed).statuses(60)


def test_the_same_seed_gives_the_same_sequence(start: Start) -> None:
    first, again, other = failing_requests(start, 1), failing_requests(start, 1), failing_requests(start, 2)
    assert first == again != other
    assert 6 <= first.count(500) <= 30


def test_a_row_does_not_change_the_random_sequence_of_another(start: Start) -> None:
    alone = failing_requests(start, 1)
    beside = failing_requests(start, 1, {"what": "error", "status": 503, "share": 0.5})
    assert [status == 500 for status in alone] == [status == 500 for status in beside]
    assert 503 in beside


def test_the_first_row_that_is_due_applies(start: Start) -> None:
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
    faulty = start({"what": "error", "status": status, "done": done, "nth": 1})
    assert faulty("POST", THREADS, {})[0] == status
    assert len(faulty.emulator.estate.threads) == int(done)


@pytest.mark.parametrize("service", ["azure-openai", "openai", "foundry"])
def test_an_error_has_the_format_of_the_service(start: Start, service: str) -> None:
    _, body = start({"what": "too-many"}, service=service)("GET", ASSISTANTS)
    expected = {"message", "type", "param", "code"} if service == "openai" else {"code", "message"}
    assert body["error"].keys() == expected


def test_a_page_of_a_gateway(start: Start) -> None:
    status, content, headers = start({"what": "html"}).raw("GET", ASSISTANTS)
    assert (status, headers["content-type"]) == (502, "text/html")
    assert content.startswith(b"<html>")


@pytest.mark.parametrize(("what", "arrived"), [("cut", 0), ("lost", 1)])
@pytest.mark.parametrize("text", ["short", "long" * 100_000])
def test_the_connection_is_cut(start: Start, what: str, arrived: int, text: str) -> None:
    faulty = start({"what": what, "nth": 1})
    message = {"role": "user", "content": [{"type": "text", "text": text[:200_000]}]}
    with pytest.raises(BROKEN):
        faulty("POST", THREADS, {"messages": [message]})
    assert len(faulty.emulator.estate.threads) == arrived
    assert faulty("GET", THREADS)[0] == 200


def test_a_body_ends_too_early(start: Start) -> None:
    faulty = start({"what": "truncated", "nth": 1}, {"what": "truncated", "nth": 2, "length": "kept"})
    with pytest.raises(http.client.IncompleteRead):
        faulty.raw("POST", THREADS, {})
    status, content, headers = faulty.raw("POST", THREADS, {"metadata": {"a": "b"}})
    assert (status, len(content)) == (200, int(headers["content-length"]))
    with pytest.raises(json.JSONDecodeError):
        json.loads(content)
    assert len(faulty.emulator.estate.threads) == 2


def test_a_slow_body_is_whole(start: Start) -> None:
    faulty = start({"what": "slow", "seconds": 0.3, "method": "GET"})
    faulty.threads(3)
    began = time.monotonic()
    assert len(faulty.read_all_pages()) == 3
    assert time.monotonic() - began >= 0.5  # two pages


def test_a_page_of_a_listing_fails_for_good(start: Start) -> None:
    faulty = start({"what": "error", "path": "*/threads", "page": 3})
    ids = faulty.threads(7)
    assert faulty.page()[0] == 200
    assert faulty.page(ids[1])[0] == 200
    assert {faulty.page(ids[3])[0] for _ in range(5)} == {500}
    assert faulty.page(ids[1])[0] == 200, "earlier pages stay"
    assert faulty.page(limit=3)[0] == faulty.page(ids[2], limit=3)[0] == 200
    assert faulty.page(ids[5], limit=3)[0] == 500


@pytest.mark.parametrize(
    ("change", "left"),
    [("insert", "0123456+"), ("delete-seen", "123456"), ("delete-ahead", "012345")],
)
def test_a_listing_moves_while_it_is_read(start: Start, change: str, left: str) -> None:
    faulty = start({"what": "moving", "path": "*/threads", "change": change, "times": 1})
    ids = faulty.threads(7)
    found = faulty.read_all_pages()
    names = {id_: str(place) for place, id_ in enumerate(ids)}
    after = "".join(names.get(id_, "+") for id_ in faulty.emulator.estate.threads)
    assert after == left
    shown = "".join(names.get(id_, "+") for id_ in found)
    assert shown == ("0" + left if change == "delete-seen" else left)


def test_the_object_at_the_cursor_is_deleted(start: Start) -> None:
    faulty = start({"what": "moving", "path": "*/threads", "change": "delete-cursor", "times": 1})
    ids = faulty.threads(5)
    assert faulty.page(ids[1])[0] == 400, "the service does not know the cursor any more"
    assert ids[1] not in faulty.emulator.estate.threads


def test_a_listing_below_another_moves_too(start: Start) -> None:
    faulty = start({"what": "moving", "change": "insert", "path": "*/messages", "times": 1})
    (thread,) = faulty.threads(1)
    for _ in range(3):
        faulty("POST", f"{THREADS}/{thread}/messages", {"role": "user", "content": "again"})
    first = next(iter(faulty.emulator.estate.messages[thread]))
    _, page = faulty("GET", f"{THREADS}/{thread}/messages?limit=2&order=asc&after={first}")
    assert (len(faulty.emulator.estate.messages[thread]), page["has_more"]) == (4, True)


def test_a_service_that_ignores_the_cursor(start: Start) -> None:
    faulty = start({"what": "ignores-after", "path": "*/threads"})
    ids = faulty.threads(3)
    assert faulty.page(ids[1]) == faulty.page()


@pytest.mark.parametrize("outcome", ["failed", "stuck"])
def test_files_whose_ingestion_fails(start: Start, outcome: str) -> None:
    from tests.emulator.conftest import connect

    faulty = start({"what": "ingestion", "file": "*.md", "outcome": outcome})
    api = connect(faulty.emulator)
    good, bad = api.file("a.txt"), api.file("b.md")
    store = api.ok("POST", STORES, {"file_ids": [good, bad]})["id"]
    counts = api.ok("GET", f"{STORES}/{store}")["file_counts"]
    expected = {"completed": 1, "failed": 1} if outcome == "failed" else {"completed": 1, "in_progress": 1}
    assert {status: number for status, number in counts.items() if number} == {**expected, "total": 2}
    entry = api.ok("GET", f"{STORES}/{store}/files/{bad}")
    assert bool(entry["last_error"]) == (outcome == "failed")
    api.client.close()


@pytest.mark.parametrize("service", ["azure-openai", "openai", "foundry"])
def test_routes_retire_during_a_run(start: Start, service: str) -> None:
    faulty = start({"what": "retired", "from": 3}, service=service)
    retired = FaultyService(Emulator(Options(service=service, key=KEY, retired=True)).start())  # type: ignore[arg-type]
    assert faulty.statuses(4) == [200, 200, 404, 404]
    assert faulty("GET", ASSISTANTS) == retired("GET", ASSISTANTS)
    assert faulty.statuses(1, path="/files") == retired.statuses(1, path="/files")
    retired.emulator.stop()


@pytest.mark.parametrize("service", ["azure-openai", "openai", "foundry"])
def test_a_token_expires_during_a_run(start: Start, service: str) -> None:
    faulty = start({"what": "expired", "from": 2}, service=service)
    assert faulty.statuses(3) == [200, 401, 401]
    assert "error" in faulty("POST", THREADS, {})[1]
    assert not faulty.emulator.estate.threads


@pytest.mark.parametrize(
    ("answer", "status", "shown"), [("deleted", 200, True), ("kept", 200, False), ("empty", 204, None)]
)
def test_a_deletion_is_answered_and_nothing_is_deleted(
    start: Start, answer: str, status: int, shown: bool | None
) -> None:
    faulty = start({"what": "undeleted", "answer": answer, "method": ["POST", "DELETE"]})
    (thread,) = faulty.threads(1)
    actual, content, _ = faulty.raw("DELETE", f"{THREADS}/{thread}")
    assert actual == status
    assert (json.loads(content)["deleted"] if content else None) is shown
    assert list(faulty.emulator.estate.threads) == [thread]


def test_every_kind_is_tested() -> None:
    files = sorted(Path(__file__).parent.glob("test_faults*.py"))
    text = "".join(file.read_text(encoding="utf-8") for file in files).replace('what="', '"')
    assert [what for what in KINDS if f'"{what}"' not in text] == []


# ---------------------------------------------------------------------------------- dishonest listings


@pytest.mark.parametrize("comes", ["newest-first", "oldest-first"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_order_is_ignored_and_the_rest_of_the_query_is_not(start: Start, comes: str, order: str) -> None:
    faulty = start({"what": "ignores-order", "path": "*/threads", "comes": comes})
    created = faulty.threads(3)
    status, answer = faulty("GET", f"{THREADS}?limit=2&order={order}")
    expected = created if comes == "oldest-first" else created[::-1]
    assert status == 200
    assert [row["id"] for row in answer["data"]] == expected[:2]
    assert answer["has_more"] is True
    assert faulty.read_all_pages() == expected if order == "asc" else True


def test_a_page_that_ends_early_is_marked_as_the_last(start: Start) -> None:
    faulty = start({"what": "ends-early", "path": "*/threads", "page": 1})
    created = faulty.threads(3)
    assert faulty.read_all_pages() == created[:2]
    assert [row["id"] for row in faulty.page(created[1])[1]["data"]] == created[2:]


def test_an_envelope_may_have_only_rows(start: Start) -> None:
    faulty = start({"what": "no-has-more", "path": "*/threads"})
    faulty.threads(1)
    assert faulty.page()[1].keys() == {"object", "data"}


def test_a_store_counts_more_files_than_it_lists(start: Start) -> None:
    faulty = start({"what": "counts-more", "path": "*/vector_stores*", "method": "GET", "more": 2})
    store = faulty("POST", STORES, {"name": "papers"})[1]
    assert store["file_counts"]["total"] == 0
    assert faulty("GET", f"{STORES}/{store['id']}")[1]["file_counts"]["total"] == 2
    assert [row["file_counts"]["total"] for row in faulty("GET", STORES)[1]["data"]] == [2]


def test_an_error_is_not_altered(start: Start) -> None:
    faulty = start({"what": "counts-more"}, {"what": "ends-early"})
    assert faulty("GET", f"{STORES}/vs_none")[0] == 404


PICTURE = "message.input_image.image_url"


def test_include_is_refused_entirely_or_for_one_value(start: Start) -> None:
    anything = start({"what": "refuses-include"})
    assert anything("GET", f"{THREADS}?include%5B%5D={PICTURE}")[0] == 400
    assert anything("GET", THREADS)[0] == 200
    single_value = start({"what": "refuses-include", "value": PICTURE})
    assert single_value("GET", f"{THREADS}?include%5B%5D=reasoning.encrypted_content")[0] == 200
    assert (
        single_value("GET", f"{THREADS}?include%5B%5D=reasoning.encrypted_content&include%5B%5D={PICTURE}")[0]
        == 400
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
def test_content_is_shown_on_request_or_never(start: Start, value: str, what: str) -> None:
    shown, hidden = ITEMS[value]
    answered = shown if what == "hides-content" else hidden
    faulty = start({"what": what}, service="foundry")
    estate = faulty.emulator.estate
    estate.conversations["conv_1"] = {
        "id": "conv_1",
        "object": "conversation",
        "created_at": 1,
        "metadata": {},
    }
    estate.items["conv_1"]["item_1"] = {"id": "item_1", **shown}
    at = f"{PREFIX['foundry']}/openai/v1/conversations/conv_1/items"

    def asked(path: str) -> Any:
        connection = http.client.HTTPConnection(urlsplit(faulty.emulator.url).netloc)
        connection.request("GET", path, None, {"authorization": f"Bearer {KEY}"})
        try:
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    assert asked(at)["data"] == [{"id": "item_1", **hidden}]
    assert asked(f"{at}/item_1") == {"id": "item_1", **hidden}
    assert asked(f"{at}?include%5B%5D={value}")["data"] == [{"id": "item_1", **answered}]
    assert asked(f"{at}/item_1?include%5B%5D={value}") == {"id": "item_1", **answered}
