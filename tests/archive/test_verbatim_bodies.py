"""Bodies are returned exactly as the API sent them, whatever they contain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow, body_bytes
from migrate.archive.check.integrity import check_archive
from migrate.model.input_limits import MAX_JSON_DEPTH
from tests.archive.filling import reader, write
from tests.strategies import steady

ODD: dict[str, Any] = {
    "a lone surrogate": "\ud83d alone",
    "surrogates in the wrong order": "\udc00\ud800",
    "a NUL": "before\x00after",
    "control characters": "\x01\x1b[31m\x7f\u2028\ufeff",
    "a large integer": 2**80 + 1,
    "a negative integer": -(2**63) - 1,
    "a small number": 5e-324,
    "1 and 1.0": [1, 1.0, True, "1"],
    "ten megabytes": "é" * 5_000_000,
    "deep": json.loads("[" * (MAX_JSON_DEPTH.maximum - 1) + "]" * (MAX_JSON_DEPTH.maximum - 1)),
    "words of SQL": "'; DROP TABLE bodies; --",
    "beyond the basic plane": "\U0001d11e👩‍👩‍👧",
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD.keys())
def test_an_odd_value_survives(archive: Archive, value: Any) -> None:
    body = {"id": "asst_1", "instructions": value, "metadata": {"k": value}, "zz": 1, "aa": 2}
    write(archive, [("assistant", "", [body])])
    ((_, found),) = reader(archive).bodies("assistant")
    assert found == body
    assert repr(found) == repr(body), "types and the order of keys too"
    assert check_archive(archive.conn).damage == ()


@pytest.mark.parametrize("odd", ["a\x00b", "'; --", "\U0001d11e", "../up"])
def test_an_odd_id_survives(archive: Archive, odd: str) -> None:
    write(archive, [("assistant", "", [{"id": odd, "name": "A"}]), ("message", odd, [{"id": odd}])])
    assert [body["id"] for _, body in reader(archive).bodies("assistant")] == [odd]
    assert {kind for kind, _, _ in reader(archive).find(odd)} == {"assistant", "message"}


def test_an_id_that_is_no_text_harms_nothing(archive: Archive) -> None:
    writer = write(archive, [])
    writer.add_page("assistant", "", [BodyRow.from_json("assistant", {"id": "\ud83d"})], "")
    writer.end_listing("assistant")
    writer.finish("complete", "")
    assert writer.bodies("assistant") == [{"id": "\ud83d"}]
    assert check_archive(archive.conn).damage == ()


def test_a_body_without_an_id_survives(archive: Archive) -> None:
    writer = write(archive, [])
    writer.add_page("assistant", "", [BodyRow.from_json("assistant", {"name": "A"})], "")
    assert writer.bodies("assistant") == [{"name": "A"}]


@pytest.mark.parametrize(
    "content", ["Hello", "[", [], None, ["bare words"], [{"type": "text", "text": "Hello"}]]
)
def test_the_views_take_every_form_of_content(archive: Archive, content: Any) -> None:
    write(archive, [("message", "thread_1", [{"id": "msg_1", "role": "user", "content": content}])])
    ((text,),) = archive.conn.execute("SELECT text FROM messages").fetchall()
    assert text == ("Hello" if "Hello" in repr(content) else text)


@pytest.mark.parametrize("value", [ODD["a lone surrogate"], ODD["a NUL"], ODD["a large integer"]])
def test_the_views_take_odd_values(archive: Archive, value: Any) -> None:
    write(archive, [("assistant", "", [{"id": "asst_1", "name": value}, {"id": "asst_2", "name": "B"}])])
    archive.conn.text_factory = lambda raw: raw.decode(errors="replace")
    assert len(archive.conn.execute("SELECT id, name, body FROM assistants").fetchall()) == 2


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner),
)


@steady
@given(body=st.dictionaries(st.text(), json_values))
def test_the_stored_text_is_the_body(body: dict[str, Any]) -> None:
    text = body_bytes(body)
    assert b"\n" not in text
    assert repr(json.loads(text)) == repr(body)
