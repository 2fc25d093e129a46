"""Every error answer that was recorded from a project is understood, in whatever form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.endpoints.http.response_check import NOT_FOUND_STATUSES, failure_of_response
from migrate.endpoints.http.retry import write_failure
from migrate.errors import NotFound, OutcomeUnknown
from tests.codecs.recordings import FOLDER

NAMES = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
RECORDED = [
    pytest.param(exchange, id=path.stem)
    for path in NAMES
    for exchange in [json.loads(path.read_text(encoding="utf-8"))]
    if isinstance(exchange, dict) and exchange.get("status", 0) >= 400
]
pytestmark = pytest.mark.skipif(not RECORDED, reason=f"no recordings of real answers in {FOLDER.name}/")


@pytest.mark.parametrize("exchange", RECORDED)
def test_it_is_reported_in_the_services_own_words(exchange: dict[str, Any]) -> None:
    status, error = exchange["status"], exchange["response_body"]["error"]
    text = json.dumps(exchange["response_body"])
    failed = failure_of_response(status, text, exchange.get("response_headers") or {}, "GET /x")
    assert error["message"] in failed.what
    assert (failed.status, failed.code) == (status, error.get("code") or "")
    assert isinstance(failed, NotFound) == (status in NOT_FOUND_STATUSES)


@pytest.mark.parametrize("exchange", RECORDED)
def test_a_write_that_was_answered_so_is_settled_or_not(exchange: dict[str, Any]) -> None:
    status = exchange["status"]
    failed = write_failure(failure_of_response(status, json.dumps(exchange["response_body"]), {}, "POST /x"))
    assert isinstance(failed, OutcomeUnknown) == (status >= 500 or status == 408)


def test_all_families_were_recorded() -> None:
    keys = [set(param.values[0]["response_body"]["error"]) for param in RECORDED]
    assert {"code", "message", "type", "details", "additionalInfo"} in keys
    assert {"code", "message", "type", "param"} in keys
    assert {"code", "message"} in keys
