"""GETs of an openai client, signed as the one before them.

The package puts the same headers together for each request. Here it does so once a minute, and what it gave
goes with the requests in between, which saves half of what putting one together costs (docs/performance.md).
Redirects, proxies, cookies and the guard of a reading connection are the HTTP client's, the same for both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx2
import openai

# Header by which the package is told, by itself, to leave the body of an answer unread.
RAW_RESPONSE_HEADER = "X-Stainless-Raw-Response"
# Seconds in which headers stay good. Tokens are renewed 300 seconds before their end (`sign_in.EARLY`).
MAX_HEADER_AGE_S = 60.0
# What depends on the request: the HTTP client gives it.
PER_REQUEST_HEADERS = {"host", "cookie"}
# Says that the signature is not good, or not any more.
UNAUTHORIZED = 401


class _CachedHeaders(NamedTuple):
    at: float
    headers: list[tuple[str, str]]


class HeaderCache:
    """Safe to share between threads. `http` is what `client` sends through."""

    def __init__(self, client: openai.OpenAI, http: httpx2.Client) -> None:
        self._client = client
        self._http = http
        self._cached: dict[tuple[tuple[str, str], ...], _CachedHeaders] = {}

    def get(self, address: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> httpx2.Response:
        """The answer to a GET of an absolute address. Raises `openai.APIStatusError` for every answer but a
        success; `openai.APIConnectionError` or `httpx2.HTTPError` where there is none."""
        kind = tuple(headers.items())
        cached = self._cached.get(kind)
        if cached is None or time.monotonic() - cached.at > MAX_HEADER_AGE_S:
            return self._get_and_cache(kind, address, params)
        answer = self._get_with_cached_headers(cached, address, params)
        if answer.is_success:
            return answer
        if answer.status_code == UNAUTHORIZED:  # a token ended early: that must not cost a listing
            self._cached.pop(kind, None)
            return self._get_and_cache(kind, address, params)
        raise openai.APIStatusError(f"status {answer.status_code}", response=answer, body=None)

    def stream(self, address: str) -> httpx2.Response:
        """The answer to a GET of an absolute address, open: its body is read by whoever closes it. Raises as
        `get` does."""
        options: Any = {
            "headers": {RAW_RESPONSE_HEADER: "stream", "Accept": "application/binary"},
            "max_retries": 0,
        }
        answer: httpx2.Response = self._client.get(address, cast_to=httpx2.Response, options=options)
        return answer

    def _get_and_cache(
        self, kind: tuple[tuple[str, str], ...], address: str, params: Mapping[str, Any]
    ) -> httpx2.Response:
        began = time.monotonic()
        options: Any = {"params": dict(params), "headers": dict(kind), "max_retries": 0}
        answer: httpx2.Response = self._client.get(address, cast_to=httpx2.Response, options=options)
        if not answer.history:  # a redirect may have changed them
            given = answer.request.headers.multi_items()
            self._cached[kind] = _CachedHeaders(
                began, [item for item in given if item[0] not in PER_REQUEST_HEADERS]
            )
        return answer

    def _get_with_cached_headers(
        self, cached: _CachedHeaders, address: str, params: Mapping[str, Any]
    ) -> httpx2.Response:
        client = self._client
        query: dict[str, Any] = {**client.default_query, **params}
        request = self._http.build_request(
            "GET",
            address,
            params=client.qs.stringify(query),
            headers=cached.headers,
            timeout=client.timeout,
        )
        return self._http.send(request)
