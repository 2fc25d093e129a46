"""Listings that break off, repeat or are malformed: never taken for complete, always reported."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, TruncatedAnswer, is_page, is_second_page
from tests.e2e.running import World, options

DOWN = {"error": {"message": "The server had an error.", "type": "server_error"}}
PROXY = b"<html><body><h1>502 Bad Gateway</h1> secret-ish proxy page</body></html>"
EVER = 10**6


def spoiled(launch: Launch, fault: object, **more: object) -> World:
    source = options("SOURCE_KEY", "azure-v2", **{"list_threads": "works", "downloads": True, **more})
    return launch(source, wrap_source=fault)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between attempts."""
    from migrate.endpoints.http import retry

    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.0)


def test_a_second_page_that_fails_for_good_makes_the_thread_partial(launch: Launch) -> None:
    world = spoiled(launch, FixedAnswer(is_second_page("/messages"), last=EVER, status=500, body=DOWN))
    answer = world.snapshot(code=3)
    long = next(id_ for id_, table in world.source.estate.messages.items() if len(table) > 100)
    assert [(row["kind"], row["parent"]) for row in answer["missing"]] == [("message", long)]
    assert "500" in answer["missing"][0]["reason"]
    assert answer["state"] == "partial"
    assert answer["counts"]["message"] == 290 - 150
    plan = world("plan", world.db, "target", "-o", world.plan).ok(1)
    rows = [row for row in plan["losses"] if row["kind"] == "thread" and row["id"] == long]
    assert ("messages", "lost") in {(row["field"], row["grade"]) for row in rows}


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/assistants", "assistant"), ("/openai/files", "file"), ("/vector_stores", "vector_store")],
)
def test_a_listing_that_fails_is_a_kind_that_was_not_read(launch: Launch, path: str, kind: str) -> None:
    world = spoiled(launch, FixedAnswer(is_page(path), last=EVER, status=503, body=DOWN))
    answer = world.snapshot(code=3)
    assert {row["kind"] for row in answer["missing"]} == {kind}
    held = world.source.estate.counts()
    assert answer["counts"]["message"] == held["message"]


def test_a_server_that_ignores_after_is_not_read_for_ever(launch: Launch) -> None:
    repeating = launch(options("SOURCE_KEY", "azure-v2", list_threads="ignores-after", downloads=True))
    many = repeating.source.estate.threads
    for number in range(120):
        many[f"thread_{number:03}"] = {**next(iter(many.values())), "id": f"thread_{number:03}"}
    answer = repeating.snapshot(code=3)
    named = [row for row in answer["missing"] if row["kind"] == "thread"]
    assert named
    assert "after" in named[0]["reason"]
    asked = [r for r in repeating.source.requests if r.path.endswith("/threads")]
    assert len(asked) < 10


@pytest.mark.parametrize("status", [200, 502])
def test_an_html_page_is_reported_and_not_believed(launch: Launch, status: int) -> None:
    world = spoiled(launch, FixedAnswer(is_page("/assistants"), last=EVER, status=status, body=PROXY))
    answer = world.snapshot(code=3)
    assert {row["kind"] for row in answer["missing"]} == {"assistant"}
    world("plan", world.db, "target", "-o", world.plan)
    assert "assistant" not in {kind for kind, number in answer["counts"].items() if number}


def test_an_html_page_everywhere_is_no_service(launch: Launch) -> None:
    fault = FixedAnswer(lambda method, path, query: True, last=EVER, status=502, body=PROXY)
    world = spoiled(launch, fault)
    world("snapshot", "source", "-o", world.db).error(5, "502")


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("path", ["/assistants", "/files", "/messages", "/threads", "/steps"])
def test_json_that_is_cut_once_is_asked_for_again(launch: Launch, path: str) -> None:
    fault = TruncatedAnswer(is_page(path))
    world = spoiled(launch, fault)
    answer = world.snapshot()
    assert fault.spoiled
    assert answer["counts"] == {k: n for k, n in world.source.estate.counts().items() if n}


def test_one_server_error_is_asked_again(launch: Launch) -> None:
    fault = FixedAnswer(lambda method, path, query: True, first=5, last=9, status=500, body=DOWN)
    assert spoiled(launch, fault).snapshot()["state"] == "complete"
