"""Credentials in texts: found by the form of the value, masked and described, and nothing else is masked."""

from __future__ import annotations

import time

import pytest

from migrate.model.secrets import describe_credentials, mask_text, remove_masked_secrets

SECRET = "s3cr3t-Value_of.0urs"
PARAMETERS = (
    "code sig signature key api-key api_key apikey apiKey API-KEY token access_token accessToken auth_token"
    " subscription-key Ocp-Apim-Subscription-Key password pwd secret client_secret x-functions-key"
    " X-Amz-Signature X-Amz-Security-Token X-Goog-Signature credential jwt session_token my_service_key"
).split()
BASE64 = f"{'a1B+' * 5}s3cr3t-Value_0urs/=="
CONNECTION_STRINGS = (
    f"AccountKey={BASE64};EndpointSuffix=core.windows.net",
    f"AccountName=me; AccountKey = {BASE64}",
    f"'sharedaccesskey={BASE64}'",
    f"SharedAccessSignature={BASE64}",
    f"it is sig={BASE64}. And so on",
    f"Server=x; User ID=me; Password={SECRET}; Encrypt=True",
    f"Server=x;Pwd = {SECRET}",
)
HARMLESS = "page next_token pageToken partition_key sv se sp sr api-version q format id codec keyboard limit"


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize(
    "address",
    [
        "https://x.example/sse?{}={}",
        "https://x.example/sse?a=1&{}={}&b=2",
        "https://x.example/#{}={}",
        "/v1/tools?{}={}",
        "see https://x.example/sse?{}={} for it",
        "https://x.example/r?to=https%3A%2F%2Fy%3F{}%3D{}",
        '{{"url": "https://x.example/sse?{}={}"}}',
        "https://x.example/sse?to=https://y/?a=1?b=2?{}={}",
        r'{{"url": "https://x.example/sse?a=1\u0026{}={}\u0026b=2"}}',
        r'{{"url": "https://x.example/sse\u003f{}={}"}}',
    ],
)
def test_a_parameter_that_carries_a_credential_is_masked(name: str, address: str) -> None:
    text = address.format(name, SECRET)
    shown = mask_text(text)
    assert SECRET not in shown
    assert name in shown
    assert mask_text(shown) == shown
    assert list(describe_credentials(text)) == [f"the query parameter {name!r}"]
    assert list(describe_credentials(shown)) == []


@pytest.mark.parametrize("name", HARMLESS.split())
def test_a_parameter_of_another_name_stays(name: str) -> None:
    text = f"https://x.example/?{name}={SECRET}"
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"https://me:{SECRET}@x.example/sse",
        f"https://{SECRET}@x.example",
        f"postgres://me:a@b{SECRET}@x.example/db",
        f"https://hooks.slack.com/services/T000/B000/{SECRET}",
        f"https://api.telegram.org/bot12:{SECRET}/sendMessage",
        "Bearer sk-proj-abcdefghijklmnopqrstuv0123456789",
        "ghp_" + "a1" * 18,
        "key AKIAABCDEFGHIJKLMNOP is it",
        *CONNECTION_STRINGS,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "a-long-name-of-a-host.example12345.eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "x" * 5_000 + "-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    ],
)
def test_other_credentials_are_known_by_their_form(text: str) -> None:
    shown = mask_text(text)
    assert "(secret " in shown
    assert SECRET not in shown
    assert BASE64 not in shown
    assert mask_text(shown) == shown
    assert list(describe_credentials(text))


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example/?key={key}",
        "https://x.example/?key=${KEY}",
        "https://{user}@x.example/",
        "https://x.example/@me?a=1",
        "a = b; code=5 is no address",
        "sk-short",
        "account_key = client.get_key(name)",
        "sig = signature_of_a_whole_request(a)",
        "AccountKey={key}; Password={password}",
        "a design=a_name_with_more_than_20_letters",
        "x@y.example",
        "",
    ],
)
def test_placeholders_and_other_texts_stay(text: str) -> None:
    assert mask_text(text) == text
    assert list(describe_credentials(text)) == []


def test_two_secrets_differ_and_one_is_like_itself() -> None:
    one, other = (mask_text(f"https://x/?code={value}") for value in ("one", "other"))
    assert one != other
    assert one == mask_text("https://x/?code=one")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://x/sse?code=one", "https://x/sse"),
        ("https://x/sse?code=one&a=1", "https://x/sse?a=1"),
        ("https://x/sse?a=1&code=one", "https://x/sse?a=1"),
        ("https://me:one@x/sse", "https://x/sse"),
        ("https://x/sse?a=1", "https://x/sse?a=1"),
    ],
)
def test_an_address_without_what_was_masked(text: str, left: str) -> None:
    assert remove_masked_secrets(mask_text(text)) == left


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "eyJ-",
        "eyJa.",
        "?a",
        "?a=",
        "?code=",
        "%3Fa%3D",
        r"\u0026a=",
        "https://",
        "://a@",
        "sk-",
        "xoxb-",
        "{",
        "sig=",
        "sig ",
        "; Pwd",
        ";Pwd = ",
    ],
)
def test_a_long_text_takes_no_time_that_grows_with_its_square(piece: str) -> None:
    began = time.process_time()
    for text in (piece * (300_000 // len(piece)), f"x://{piece * (300_000 // len(piece))}="):
        mask_text(text)
        list(describe_credentials(text))
    assert time.process_time() - began < 5  # in quadratic time this would take hours
