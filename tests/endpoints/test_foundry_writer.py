"""Writing to a project: the address and body for each kind, and no request is repeated on its own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from migrate.codecs import CODECS
from migrate.endpoints import foundry
from migrate.endpoints.foundry import FoundryWriter
from migrate.endpoints.settings import Settings
from migrate.errors import NotFound, OutcomeUnknown, RequestFailed
from tests.endpoints.scripted_server import (
    PROJECT,
    Answer,
    RecordedRequest,
    Reply,
    Server,
    in_turn,
    listing,
    serving,
)

SECRET = "token-of-this-test"
V1 = f"{PROJECT}/openai/v1"
VERSION = {
    "object": "agent.version",
    "id": "Plant-Desk:2",
    "name": "Plant-Desk",
    "version": "2",
    "created_at": 9,
    "metadata": {"k": "v"},
    "definition": {"kind": "prompt", "model": "gpt-4o"},
}
ITEMS = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}]
AGAIN = Reply(429, headers={"retry-after": "0"})

Write = Callable[[FoundryWriter], Any]
WRITES: dict[str, tuple[str, Write]] = {
    "a version": (f"{PROJECT}/agents/desk/versions", lambda w: w.create("assistant", {}, "desk")),
    "a changed agent": (f"{PROJECT}/agents/desk/versions", lambda w: w.update("assistant", "desk", {})),
    "a conversation": (f"{V1}/conversations", lambda w: w.create("thread", {"metadata": {}})),
    "items": (f"{V1}/conversations/conv_1/items", lambda w: w.append("conv_1", ITEMS)),
    "a store": (f"{V1}/vector_stores", lambda w: w.create("vector_store", {"name": "s"})),
    "a file": (f"{V1}/files", lambda w: w.upload("a.txt", "assistants", io.BytesIO(b"hello"))),
    "a file in a store": (f"{V1}/vector_stores/vs_1/files", lambda w: w.attach("vs_1", [{"file_id": "f"}])),
}
each_write = pytest.mark.parametrize("what", WRITES)


@contextmanager
def writing(answer: Answer) -> Iterator[tuple[FoundryWriter, Server]]:
    """A writer; `answer` handles all requests but the listings of the probe."""
    looked = False

    def first_look(asked: RecordedRequest) -> Reply:
        return answer(asked) if looked else Reply(body=listing())

    with serving(first_look) as server:
        writer = foundry.connect_foundry(
            Settings("foundry", server.url, auth="token", secret=SECRET), writable=True
        )
        assert isinstance(writer, FoundryWriter)
        try:
            writer.probe()
            looked = True
            server.asked.clear()
            yield writer, server
        finally:
            writer.close()


@each_write
def test_each_goes_to_its_own_place_signed_in(what: str) -> None:
    path, write = WRITES[what]
    with writing(in_turn(Reply(body={"id": "x"}))) as (writer, server):
        write(writer)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", path)
    assert asked.query == ({} if path.startswith(V1) else {"api-version": "v1"})
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


@each_write
@pytest.mark.parametrize("status", [408, 500, 503])
@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}], ids=["silent", "retry-after"])
def test_one_that_failed_is_sent_once_and_its_outcome_is_open(
    what: str, status: int, headers: dict[str, str]
) -> None:
    with writing(in_turn(Reply(status, headers=headers))) as (writer, server), pytest.raises(OutcomeUnknown):
        WRITES[what][1](writer)
    assert len(server.asked) == 1


@each_write
def test_one_without_an_answer_is_sent_once_and_its_outcome_is_open(what: str) -> None:
    with writing(in_turn(Reply(cut=True))) as (writer, server), pytest.raises(OutcomeUnknown):
        WRITES[what][1](writer)
    assert len(server.asked) == 1


@each_write
def test_one_that_was_turned_away_is_sent_again_whole(what: str) -> None:
    with writing(in_turn(AGAIN, Reply(body={"id": "x"}))) as (writer, server):
        WRITES[what][1](writer)
    first, second = server.asked
    assert (first.method, first.path) == (second.method, second.path)
    assert len(first.body) == len(second.body) > 0


@each_write
def test_one_that_was_refused_is_a_certain_failure(what: str) -> None:
    with writing(in_turn(Reply(400))) as (writer, server), pytest.raises(RequestFailed) as failed:
        WRITES[what][1](writer)
    assert not isinstance(failed.value, OutcomeUnknown)
    assert len(server.asked) == 1


class TestAgents:
    WIRE = CODECS["foundry"].create_request(
        CODECS["foundry"].decode("assistant", {**VERSION, "id": "x"}, "", None)[0]
    )

    def test_a_version_is_given_as_an_agent_is_listed(self) -> None:
        with writing(in_turn(Reply(body=VERSION))) as (writer, server):
            made = writer.create("assistant", self.WIRE, "Plant-Desk")
        assert server.asked[0].json == self.WIRE
        (entity,) = CODECS["foundry"].decode("assistant", made, "", None)
        assert (entity.id, entity.facts["version"], entity.fields["metadata"]) == (
            "Plant-Desk",
            "2",
            {"k": "v"},
        )

    def test_a_name_of_somebody_else_is_quoted(self) -> None:
        with writing(in_turn(Reply(body=VERSION))) as (writer, server):
            writer.update("assistant", "Documentation Assistant/x", {})
        assert server.asked[0].path == f"{PROJECT}/agents/Documentation%20Assistant%2Fx/versions"


class TestConversations:
    def test_items_go_together_in_their_order(self) -> None:
        many = [{**ITEMS[0], "content": [{"type": "input_text", "text": str(n)}]} for n in range(20)]
        with writing(in_turn(Reply(body={"object": "list", "data": []}))) as (writer, server):
            writer.append("conv_1", many)
        assert [asked.json for asked in server.asked] == [{"items": many}]

    def test_items_are_deleted_before_their_conversation(self) -> None:
        there = ["m1", "m2"]

        def answer(asked: RecordedRequest) -> Reply:
            if asked.method == "GET":
                return Reply(body=listing(*there))
            there[:] = [id_ for id_ in there if not asked.path.endswith(id_)]
            return Reply()

        with writing(answer) as (writer, server):
            writer.delete("thread", "conv_1")
        deleted = [asked.path for asked in server.asked if asked.method == "DELETE"]
        at = f"{V1}/conversations/conv_1"
        assert sorted(deleted[:-1]) == [f"{at}/items/m1", f"{at}/items/m2"]
        assert deleted[-1] == at

    def test_a_conversation_whose_items_stay_is_not_deleted(self) -> None:
        page = Reply(body=listing("m1", "m2"))
        with (
            writing(lambda asked: page if asked.method == "GET" else Reply(404)) as (writer, server),
            pytest.raises(RequestFailed, match="2 of its items"),
        ):
            writer.delete("thread", "conv_1")
        assert not [a for a in server.asked if a.method == "DELETE" and a.path.endswith("conv_1")]

    @pytest.mark.parametrize("kind", ["thread", "assistant"])
    def test_what_the_service_does_not_know_is_reported(self, kind: str) -> None:
        with writing(in_turn(Reply(404))) as (writer, _), pytest.raises(NotFound):
            writer.delete(kind, "desk")


def test_an_upload_is_a_form_of_two_parts() -> None:
    with writing(in_turn(Reply(body={"id": "assistant-1"}))) as (writer, server):
        writer.upload("größe.txt", "assistants", io.BytesIO(b"hello"))
    body = server.asked[0].body
    assert body.count(b"Content-Disposition: form-data") == 2
    assert b'name="purpose"\r\n\r\nassistants\r\n' in body
    assert "größe.txt".encode() in body
    assert b"hello" in body
