"""The fast test finds whatever a mask would change, and lets ordinary messages pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive.bodies import body_bytes
from migrate.model.mask_screen import has_mask_hint, may_need_mask
from migrate.model.masked_values import MASK, SCHEMA_KEYS, SECRET_FIELDS, VALUE_KEYS, mask_body
from migrate.model.secrets import SECRET_KEY_NAMES

# One of each form that is masked, alone.
CREDENTIALS = (
    *("?sig=v", "&code=v", "#token=v", ";key=v", "%3Fsig%3Dv", "%26sig=v", "?x=y%3Fsig%3dv", "&my_token=\b"),
    *(r"?a=1\u0026code=v", r"\u003Fsig=v", "?a=?b=?code=v"),
    *("https://user:pass@host", "a+b://me@h", "\nftp://u@h", "https://hooks.slack.com/services/a"),
    *("https://discord.com/api/webhooks/1/a", "https://discordapp.com/api/webhooks/22/a"),
    *("https://api.telegram.org/bot1", "https://a.webhook.office.com/webhookb2/a"),
    *("sk-" + "a1" * 12, "\nsk-" + "ä" * 20, "ghp_" + "b2" * 16, "gho_" + "b" * 30, "ghu_" + "b" * 30),
    *("ghs_" + "b" * 30, "ghr_" + "b" * 30, "github_pat_" + "c3" * 16, "xoxb-0123456789", "xoxs-" + "x" * 10),
    *("sig = " + "a" * 20, "AccountKey\n=\n" + "a" * 20, ";\tPwd\t=v", "; Password = v"),
    *("AKIA" + "D4" * 8, "ASIA" + "E5" * 8, "AIza" + "f" * 35, "eyJ" + "g" * 10 + "." + "h" * 10 + ".i"),
)
# What stands around them in JSON.
AROUND = (
    *(
        "?",
        "&",
        "#",
        ";",
        "=",
        "%3D",
        "%3F",
        "code",
        "api-key",
        "nächste",
        "ſig",
        "://",
        "@",
        "desk-1",
        "{x}",
    ),
    *("\n", "\t", '"', "\\", "/", "\b", "\x00", " ", "é", "\u2028", "\U0001f600", "\ud800", "<y>", "."),
)
texts = st.lists(st.sampled_from((*CREDENTIALS, *AROUND)), max_size=6).map("".join)
keys = st.sampled_from(sorted(SECRET_KEY_NAMES)).flatmap(
    lambda name: st.sampled_from([name, name.upper(), name.title(), f"{name}s", name.replace("k", "\u212a")])
)
described = st.sampled_from((*SCHEMA_KEYS, *VALUE_KEYS, "in", "name", "client_secret", "code"))
values = st.recursive(
    texts | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys | described | texts, inner, max_size=2),
    max_leaves=6,
)
bodies = st.dictionaries(
    st.sampled_from(("id", "content", "metadata", *SECRET_FIELDS)) | keys | texts,
    values,
)


def is_found(text: str) -> bool:
    """Whether a body with something to mask is found, alone and among others."""
    return may_need_mask(text) and has_mask_hint(f'{{"id":"other"}}\n{text}\n{{}}')


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_each_credential_alone_is_found(credential: str) -> None:
    body = {"id": "msg_1", "content": [{"text": {"value": credential}}]}
    text = body_bytes(body).decode()
    assert mask_body(body) != body
    assert is_found(text)
    hidden = text.replace(credential[-1], f"\\u{ord(credential[-1]):04x}")
    assert mask_body(json.loads(hidden)) != json.loads(hidden)
    assert is_found(hidden)


@pytest.mark.parametrize("name", sorted(SECRET_KEY_NAMES))
@pytest.mark.parametrize("field", SECRET_FIELDS)
def test_each_secret_key_is_found(field: str, name: str) -> None:
    for key in (name, name.upper(), name.replace("k", "\u212a")):
        for body in ({"id": "asst_1", field: [{key: "v"}]}, {"id": "item_1", key: "v"}):
            assert mask_body(body) != body
            assert is_found(body_bytes(body).decode())


@given(bodies)
def test_what_is_masked_is_found(body: dict[str, Any]) -> None:
    for text in (body_bytes(body).decode(), json.dumps(body), json.dumps(body).replace("/", "\\/")):
        if json.loads(text) != mask_body(json.loads(text)):
            assert is_found(text)


@pytest.mark.parametrize(
    "text",
    [
        "a = b; c == d && e",
        "See https://example.com/a/b#part for more.",
        "Write to me@example.com\nor come by.",
        "The task-based way, at 20 % off",
        "1 < 2 > 0; x=1",
    ],
)
def test_ordinary_texts_are_not_parsed(text: str) -> None:
    body = {"id": "msg_1", "object": "thread.message", "content": [{"text": {"value": text}}], "metadata": {}}
    assert not may_need_mask(body_bytes(body).decode())


def test_a_mask_keeps_the_shape_where_a_program_reads_it() -> None:
    body = {
        "tools": [{"headers": {"Authorization": "Bearer x", "n": None}, "token": "y"}],
        "versions": {"token": ["z"]},
    }
    assert mask_body(body, keep_shape=True) == {
        "tools": [{"headers": {"Authorization": MASK, "n": None}, "token": MASK}],
        "versions": {"token": [MASK]},
    }
    assert mask_body(body)["tools"] == [{"headers": MASK, "token": MASK}]
