"""No secret of this run is in a text that passed `redact`, in whatever spelling."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from migrate.model.known_secrets import REDACTED, KnownSecrets

KEY = 'k3y+/="\\ü&<of>%the east'
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl"

LETTERS = re.compile("%[0-9A-F]{2}")

SPELLED: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: f"Incorrect key provided: {value}.",
    "in a header as Python shows it": lambda value: f"Illegal header value {f'Bearer {value}'.encode()!r}",
    "as Python shows text": lambda value: f"failed with {[value]!r}",
    "in JSON": lambda value: json.dumps({"key": value}),
    "in JSON with its letters": lambda value: json.dumps({"key": value}, ensure_ascii=False),
    "in JSON in JSON": lambda value: json.dumps({"error": json.dumps({"key": value})}),
    "in an address": lambda value: f"https://east.example/x?sig={quote(value, safe='')}&a=b",
    "in an address in small letters": lambda value: LETTERS.sub(
        lambda found: found[0].lower(), quote(value, safe="")
    ),
    "in a form": lambda value: quote_plus(value),
    "in HTML": lambda value: f"<p>{html.escape(value)}</p>",
    "in base64": lambda value: base64.b64encode(value.encode()).decode(),
    "in base64 behind a user": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "in base64 behind another user": lambda value: base64.b64encode(f"ab:{value}!".encode()).decode(),
    "in capital letters": str.upper,
    "in small letters": str.lower,
    "in hexadecimal digits": lambda value: value.encode().hex(),
    "cut off within": lambda value: f"header {value[:20]}",
}


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("value", [KEY, TOKEN])
def test_a_secret_is_hidden_however_it_is_spelled(value: str, spelled: str) -> None:
    known = KnownSecrets()
    known.register(value)
    text = SPELLED[spelled](value)
    hidden = known.redact(text)
    assert REDACTED in hidden
    assert value[:16] not in hidden
    # In base64 only one character at either end depends on neighbouring bytes.
    assert len(hidden) - len(REDACTED) <= len(SPELLED[spelled]("")) + 12


@pytest.mark.parametrize("sign", ["\n", "\r", "\r\n", "\x7f", "\0", "\t", " "])
def test_a_secret_with_a_sign_that_no_header_takes_is_hidden_in_all_its_parts(sign: str) -> None:
    known = KnownSecrets()
    known.register(f"first-half-4711{sign}second-half-4711{sign}")
    told = f"Illegal header value {f'first-half-4711{sign}second-half-4711{sign}'.encode()!r}"
    for text in (told, " ".join(told.split()), "got second-half-4711", f"a{sign}first-half-4711"):
        assert "half-4711" not in known.redact(text)


QUOTED = (
    "api-key: emulator",
    "Illegal header value b'Bearer emulator'",
    "Illegal header value b'emulator'",
    '{"api-key": "emulator"}',
    "{'Authorization': 'Bearer emulator'}",
    "Incorrect API key provided: emulator",
    "http://127.0.0.1:1/x?code=emulator",
    "http://user:emulator@127.0.0.1",
    "http://emulator@127.0.0.1",
)


@pytest.mark.parametrize("text", QUOTED)
def test_a_short_value_is_hidden_where_a_credential_is_quoted(text: str) -> None:
    known = KnownSecrets()
    known.register("emulator")
    assert "emulator" not in known.redact(text)


@pytest.mark.parametrize("value", ["emulator", "the-emulator-of-here"])
def test_the_key_of_a_loopback_service_stays_readable_as_a_word(value: str) -> None:
    known = KnownSecrets()
    known.register(value, loopback=True)
    text = f"the {value} answered; the {value}s answer; {value}: gone"
    assert known.redact(text) == text


def test_a_loopback_key_that_is_no_word_is_hidden_everywhere() -> None:
    known = KnownSecrets()
    known.register("sk-0123456789abcdefghij", loopback=True)
    assert known.redact("it said sk-0123456789abcdefghij twice") == f"it said {REDACTED} twice"


def test_secrets_are_registered_and_hidden_by_many_threads() -> None:
    known = KnownSecrets()
    values = [f"secret-number-{number:04}" for number in range(200)]
    threads = [
        threading.Thread(target=lambda part=part: [known.register(value) for value in part])  # type: ignore[misc]
        for part in (values[:100], values[100:])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert known.redact(" ".join(values)).replace(REDACTED, "").strip() == ""


def test_another_run_begins_without_the_secrets_of_the_one_before() -> None:
    known = KnownSecrets()
    known.register("a-secret-of-then")
    known.forget_all()
    assert known.redact("a-secret-of-then") == "a-secret-of-then"
