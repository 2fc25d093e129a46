"""One log line, at level DEBUG, for each request that is sent: also for each repetition and each redirect.

    GET /openai/threads status=200 request_id=0b5f try=2 waited=1.04s took=0.21s

`try` counts from 1. `waited`: seconds that this try had to wait before it was sent, for the rate limit or
after a failure. `took`: seconds until the headers of the answer came. Query, headers and body are not logged.
"""

from __future__ import annotations

import logging
import threading
import time

import httpx2

log = logging.getLogger(__name__)

# OpenAI, Azure API Management and Azure's own services; the first that an answer has is logged.
REQUEST_ID_HEADERS = ("x-request-id", "apim-request-id", "x-ms-request-id")
MAX_REQUEST_ID_CHARS = 100


class _Attempt(threading.local):
    """What `Channel` knows about the request that the current thread sends."""

    number = 1
    waited_s = 0.0


_attempt = _Attempt()


def begin_attempt(number: int, waited_s: float) -> None:
    """The requests that this thread sends from now on are this try, which waited for so many seconds."""
    _attempt.number, _attempt.waited_s = number, waited_s


def log_answer(request: httpx2.Request, answer: httpx2.Response, began: float) -> None:
    """Log a request that was answered. `began`: when it was sent, by `time.monotonic`."""
    if log.isEnabledFor(logging.DEBUG):
        ids = (answer.headers.get(name) for name in REQUEST_ID_HEADERS)
        request_id = "".join(next(filter(None, ids), "-").split())[:MAX_REQUEST_ID_CHARS]
        _log(request, str(answer.status_code), request_id, began)


def log_no_answer(request: httpx2.Request, error: Exception, began: float) -> None:
    """Log a request without an answer; its status is the name of the error, such as `ConnectTimeout`."""
    if log.isEnabledFor(logging.DEBUG):
        _log(request, type(error).__name__, "-", began)


def _log(request: httpx2.Request, status: str, request_id: str, began: float) -> None:
    path = request.url.raw_path.partition(b"?")[0].decode("ascii", "backslashreplace")
    log.debug(
        "%s %s status=%s request_id=%s try=%d waited=%.2fs took=%.2fs",
        *(request.method, path, status, request_id),
        *(_attempt.number, _attempt.waited_s, time.monotonic() - began),
    )
