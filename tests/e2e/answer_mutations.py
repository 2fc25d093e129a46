"""Ways in which a service may answer wrongly: each is one row, from a whole answer to another one.

`MUTATIONS` is the table. A mutation gets a random source of its own, so that a seed gives the
same nonsense on every run.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.e2e.faults import capture_answer

JUNK_LEVELS = 5_000
GZIP_BYTES = 8 << 20
LONG_TEXT = "x" * 200_000


@dataclass(frozen=True)
class Answer:
    """An answer: status, headers without lengths, and the bytes of the body."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def with_json(self, body: Any) -> Answer:
        return replace(self, body=json.dumps(body).encode())


Change = Callable[[Answer, random.Random], Answer]


def wrong_values(rng: random.Random) -> Any:
    """A value of an unexpected type or size."""
    return rng.choice(
        [
            None, True, False, 0, -1, 1.5, 10**30, -(10**400), "", " ", "null", "x/../y?z#%2e", "\ud800",
            "a\0b", LONG_TEXT, [], {}, [None], [[]],
            {"": None}, {"id": 7}, [{"type": 5}], ["x"], {"type": []},
        ]
    )  # fmt: skip


def wrong_id(rng: random.Random) -> Any:
    return rng.choice(
        [
            "",
            ".",
            "..",
            "a/b",
            "../x",
            "?x=1",
            "#",
            "%2e%2e",
            "\ud800",
            "a\nb",
            "x" * 20_000,
            7,
            None,
            [],
            {},
            True,
        ]
    )


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            found.append((value, key))
            _places(inner, found)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found.append((value, number))
            _places(inner, found)
    return found


def value_replaced(answer: Answer, rng: random.Random) -> Answer:
    body = answer.json
    places = _places(body, [])
    for container, key in rng.sample(places, min(len(places), rng.choice([1, 1, 3]))):
        container[key] = wrong_values(rng)
    return answer.with_json(body)


def key_removed(answer: Answer, rng: random.Random) -> Answer:
    body = answer.json
    keyed = [(c, k) for c, k in _places(body, []) if isinstance(c, dict) and k != "data"]
    for container, key in rng.sample(keyed, min(len(keyed), 2)):
        container.pop(key, None)
    return answer.with_json(body)


def key_twice(answer: Answer, rng: random.Random) -> Answer:
    text = answer.body.decode()
    at = text.find("{") + 1
    key = rng.choice(["id", "data", "has_more", "object", "type"])
    return replace(answer, body=f'{text[:at]}"{key}":{json.dumps(wrong_values(rng))},{text[at:]}'.encode())


def key_added(answer: Answer, rng: random.Random) -> Answer:
    body = answer.json
    tables = [body, *(c[k] for c, k in _places(body, []) if isinstance(c[k], dict))]
    rng.choice([t for t in tables if isinstance(t, dict)] or [{}])[
        rng.choice(["", "ü", "__proto__", "x" * 999])
    ] = wrong_values(rng)
    return answer.with_json(body)


def _rows(change: Callable[[list[Any], random.Random], Any]) -> Change:
    def changed(answer: Answer, rng: random.Random) -> Answer:
        body = answer.json
        if not isinstance(body, dict) or not isinstance(body.get("data"), list):
            return answer
        body["data"] = change(list(body["data"]), rng)
        return answer.with_json(body)

    return changed


def _inserted(value: Callable[[list[Any], random.Random], Any]) -> Change:
    def put(rows: list[Any], rng: random.Random) -> list[Any]:
        rows.insert(rng.randint(0, len(rows)), value(rows, rng))
        return rows

    return _rows(put)


def _ids(rows: list[Any], rng: random.Random) -> list[Any]:
    for row in rows:
        if isinstance(row, dict) and rng.random() < 0.3:
            row["id"] = wrong_id(rng)
    return rows


def _envelope(key: str, *values: Any) -> Change:
    def changed(answer: Answer, rng: random.Random) -> Answer:
        body = answer.json
        if not isinstance(body, dict) or "data" not in body:
            return answer
        value = rng.choice(values)
        body[key] = value
        return answer.with_json(body)

    return changed


def _bytes(make: Callable[[bytes, random.Random], bytes], **headers: str) -> Change:
    def changed(answer: Answer, rng: random.Random) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(answer, body=make(answer.body, rng), headers={**answer.headers, **named})

    return changed


def _status(*statuses: int) -> Change:
    def changed(answer: Answer, rng: random.Random) -> Answer:
        return replace(answer, status=rng.choice(statuses))

    return changed


def refusal_nobody_expects(answer: Answer, rng: random.Random) -> Answer:
    error = rng.choice(
        [
            None, 5, [], "just words", {"message": {"a": ["b"]}}, {"message": None, "code": []},
            {"code": 10**400},
            {"message": "x" * 100_000}, {"message": "\x1b[31mred\ud800"}, [{"message": "a list"}],
        ]
    )  # fmt: skip
    status = rng.choice(
        [400, 401, 403, 404, 405, 408, 409, 410, 413, 418, 422, 423, 429, 451, 500, 501, 503, 599]
    )
    waits = rng.choice(["abc", "-5", "nan", "inf", "1e999", "0", "", "Fri, 99 Foo 2026"])
    return Answer(
        status, json.dumps({"error": error}).encode(), {"retry-after": waits, "retry-after-ms": waits}
    )


def redirect(answer: Answer, rng: random.Random) -> Answer:
    places = [
        "",
        "/",
        "//",
        "http://[::1",
        "javascript:x",
        "http://127.0.0.1:9/x",
        "\x7f",
        "ftp://x/",
        "?" + "x" * 9_000,
    ]
    headers = {} if rng.random() < 0.2 else {"location": rng.choice(places)}
    return Answer(rng.choice([300, 301, 302, 303, 304, 305, 307, 308]), b"", headers)


def bomb(answer: Answer, rng: random.Random) -> Answer:
    packed = gzip.compress(b'{"object":"list","data":[],"x":"' + b"0" * GZIP_BYTES + b'"}')
    return Answer(200, packed, {"content-encoding": "gzip"})


def nested(answer: Answer, rng: random.Random) -> Answer:
    levels = rng.choice([200, 990, JUNK_LEVELS, 100_000])
    opening, closing = rng.choice([("[", "]"), ('{"a":', "}")])
    core = opening * levels + "1" + closing * levels
    text = answer.body.decode()
    at = text.find("{") + 1
    return replace(answer, body=f'{text[:at]}"deep":{core},{text[at:]}'.encode())


ODD_CURSORS = (None, "", 5, [], {}, "\ud800", "x" * 70_000, "a/b?c#d", True, "x_unknown")
NO_NUMBERS = (b',"x":NaN}', b',"x":-Infinity}', b',"x":1e999}')
MANY_DIGITS = b',"created_at":' + b"9" * 10_000 + b"}"

MUTATIONS: dict[str, Change] = {
    "a value of another type": value_replaced,
    "a key is missing": key_removed,
    "a key occurs twice": key_twice,
    "a key nobody knows": key_added,
    "a row twice": _inserted(lambda rows, rng: rng.choice(rows) if rows else {}),
    "a row that is null": _inserted(lambda rows, rng: None),
    "a row that is a text": _inserted(lambda rows, rng: "row"),
    "an empty row": _inserted(lambda rows, rng: {}),
    "a row of another kind": _inserted(lambda rows, rng: {"id": "x_1", "object": "response"}),
    "odd ids": _rows(_ids),
    "rows in another order": _rows(lambda rows, rng: rng.sample(rows, len(rows))),
    "rows as an object": _rows(lambda rows, rng: {str(number): row for number, row in enumerate(rows)}),
    "rows null": _rows(lambda rows, rng: None),
    "has_more is no truth value": _envelope("has_more", "false", "true", None, 1, 0, [], {}, "no"),
    "always more": _envelope("has_more", True),
    "an odd cursor": _envelope("last_id", *ODD_CURSORS),
    "an odd first_id": _envelope("first_id", None, 5, [], "\ud800"),
    "a text of another kind": _envelope("object", None, 5, "page", []),
    "no answer": _bytes(lambda body, rng: b""),
    "blanks": _bytes(lambda body, rng: b" \n "),
    "a list": _bytes(lambda body, rng: b"[" + body + b"]"),
    "a text": _bytes(lambda body, rng: json.dumps(body.decode()).encode()),
    "null": _bytes(lambda body, rng: b"null"),
    "a page of HTML": _bytes(lambda body, rng: b"<html><h1>Sign in</h1></html>", content_type="text/html"),
    "cut": _bytes(lambda body, rng: body[: rng.randint(0, max(0, len(body) - 1))]),
    "something behind it": _bytes(lambda body, rng: body + rng.choice([b"x", body, b"\0", b"}"])),
    "a byte order mark": _bytes(lambda body, rng: b"\xef\xbb\xbf" + body),
    "UTF-16": _bytes(lambda body, rng: body.decode().encode("utf-16")),
    "bytes that are no text": _bytes(lambda body, rng: body.replace(b'"', b'"\xff\xfe', 3)),
    "not a number": _bytes(lambda body, rng: body[:-1] + rng.choice(NO_NUMBERS)),
    "a number of 10,000 digits": _bytes(lambda body, rng: body[:-1] + MANY_DIGITS),
    "deeply nested": nested,
    "said to be gzip": _bytes(lambda body, rng: body, content_encoding="gzip"),
    "half of gzip": _bytes(lambda body, rng: gzip.compress(body)[:-9], content_encoding="gzip"),
    "gzip in gzip": _bytes(
        lambda body, rng: gzip.compress(gzip.compress(body)), content_encoding="gzip, gzip"
    ),
    "an encoding nobody knows": _bytes(lambda body, rng: body, content_encoding="x-rot13"),
    "a charset nobody knows": _bytes(
        lambda body, rng: body, content_type="application/json; charset=klingon"
    ),
    "gzip that unpacks to megabytes": bomb,
    "a status with its body": _status(201, 202, 203, 206, 226, 299),
    "no content": lambda answer, rng: Answer(rng.choice([204, 205]), b""),
    "a failure with its body": _status(400, 404, 409, 418, 500, 502, 599),
    "a refusal nobody expects": refusal_nobody_expects,
    "a redirect": redirect,
}  # fmt: skip


@dataclass
class Mutated:
    """An ASGI application in front of an emulator that changes a share of the answers to `methods` by one
    mutation."""

    change: Change
    seed: int
    share: float = 0.2
    methods: tuple[str, ...] = ("GET",)
    on: bool = True
    spoiled: list[str] = field(default_factory=list)
    asked: int = 0

    def __call__(self, app: Any) -> Any:
        rng = random.Random(self.seed)

        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or not self.on:
                await app(scope, receive, send)
                return
            self.asked += 1
            if scope["method"] not in self.methods or rng.random() > self.share:
                await app(scope, receive, send)
                return
            whole = await capture_answer(app, scope, receive)
            try:
                changed = self.change(Answer(200, whole), random.Random(rng.random()))
            except (ValueError, UnicodeDecodeError):  # the bytes of a file: no JSON to be changed
                changed = Answer(200, whole[: len(whole) // 2])
            self.spoiled.append(f"{scope['method']} {scope['path']}")
            await _sent(send, changed)

        return wrapped


async def _sent(send: Any, answer: Answer) -> None:
    named = {"content-type": "application/json", "content-length": str(len(answer.body)), **answer.headers}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})
