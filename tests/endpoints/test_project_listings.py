"""Listings of a project end at their end, whatever a server says; no link to another host is followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from migrate.endpoints import foundry, foundry_classic
from migrate.endpoints.interface import Reader
from migrate.endpoints.settings import Settings
from migrate.errors import PaginationError, RequestFailed
from tests.endpoints.scripted_server import PROJECT, Answer, RecordedRequest, Reply, Server, listing, serving

SECRET = "token-of-this-test"
AGENTS, CONVERSATIONS = f"{PROJECT}/agents", f"{PROJECT}/openai/v1/conversations"


@contextmanager
def reading(routes: dict[str, Answer], type_: str = "foundry") -> Iterator[tuple[Reader, Server]]:
    """A reading endpoint on a server with these routes; the listings that it probes are empty elsewhere."""

    def answer(asked: RecordedRequest) -> Reply:
        found = routes.get(asked.path)
        return found(asked) if found else Reply(body=listing())

    with serving(answer) as server:
        connect = foundry.connect_foundry if type_ == "foundry" else foundry_classic.connect_foundry_classic
        reader = connect(Settings(type_, server.url, auth="token", secret=SECRET))
        try:
            reader.probe()
            server.asked.clear()
            yield reader, server
        finally:
            reader.close()


def pages_of(**pages: Any) -> Answer:
    """A page for each cursor; `start` is the first."""
    return lambda asked: Reply(body=pages[asked.query.get("after", "start")])


def ids(reader: Reader, kind: str, parent: str = "") -> list[str]:
    return [str(body["id"]) for page in reader.pages(kind, parent) for body in page.bodies]


def asked_after(server: Server) -> list[str | None]:
    return [asked.query.get("after") for asked in server.asked]


class TestAgents:
    def test_pages_are_asked_for_in_order_and_by_the_hundred(self) -> None:
        pages = pages_of(start=listing("a", "b", more=True), b=listing("c"))
        with reading({AGENTS: pages}) as (reader, server):
            assert ids(reader, "assistant") == ["a", "b", "c"]
        assert [asked.query for asked in server.asked] == [
            {"limit": "100", "order": "asc", "api-version": "v1"},
            {"limit": "100", "order": "asc", "after": "b", "api-version": "v1"},
        ]

    def test_a_last_page_that_names_its_last_row_is_the_last(self) -> None:
        with reading({AGENTS: pages_of(start=listing("a", "b", more=False))}) as (reader, server):
            assert ids(reader, "assistant") == ["a", "b"]
        assert asked_after(server) == [None]

    def test_without_a_word_about_more_it_ends_where_a_page_repeats(self) -> None:
        with reading({AGENTS: lambda _: Reply(body=listing("a", "b", more=None))}) as (reader, server):
            assert ids(reader, "assistant") == ["a", "b"]
        assert asked_after(server) == [None, "b"]

    def test_without_a_word_about_more_it_ends_where_a_page_is_empty(self) -> None:
        empty = {"data": [], "object": "list"}
        with reading({AGENTS: pages_of(start=listing("a", more=None), a=empty)}) as (reader, _):
            assert ids(reader, "assistant") == ["a"]

    def test_a_server_that_promises_more_and_repeats_itself_is_reported(self) -> None:
        with (
            reading({AGENTS: lambda _: Reply(body=listing("a", "b", more=True))}) as (reader, server),
            pytest.raises(PaginationError, match="repeats"),
        ):
            ids(reader, "assistant")
        assert len(server.asked) == 2

    def test_a_promise_of_more_that_an_empty_page_takes_back_is_the_end(self) -> None:
        empty = {"data": [], "has_more": False, "object": "list"}
        with reading({AGENTS: pages_of(start=listing("a", more=True), a=empty)}) as (reader, server):
            assert ids(reader, "assistant") == ["a"]
        assert asked_after(server) == [None, "a"]

    def test_a_wrong_cursor_is_not_used(self) -> None:
        first = listing("a", "b", more=True, last_id="zzz")
        with reading({AGENTS: pages_of(start=first, b=listing("c"), zzz=listing("wrong"))}) as (reader, _):
            assert ids(reader, "assistant") == ["a", "b", "c"]

    def test_a_name_that_needs_quoting_is_quoted(self) -> None:
        name = "Documentation Assistant / test?"
        at = f"{AGENTS}/Documentation%20Assistant%20%2F%20test%3F"
        with reading({at: lambda _: Reply(body={"id": name})}) as (reader, server):
            assert reader.get("assistant", name) == {"id": name}
        assert server.asked[0].query == {"api-version": "v1"}


class TestConversations:
    def test_they_are_listed_without_an_api_version(self) -> None:
        pages = pages_of(start=listing("conv_1", more=True), conv_1=listing("conv_2"))
        with reading({CONVERSATIONS: pages}) as (reader, server):
            assert ids(reader, "thread") == ["conv_1", "conv_2"]
        assert [asked.query.get("order") for asked in server.asked] == ["asc", "asc"]
        assert all("api-version" not in asked.query for asked in server.asked)
        assert all(asked.headers["authorization"] == f"Bearer {SECRET}" for asked in server.asked)

    def test_items_are_asked_for_oldest_first_and_once_newest_first(self) -> None:
        def answer(asked: RecordedRequest) -> Reply:
            return Reply(body=listing(*(("m1", "m2") if asked.query["order"] == "asc" else ("m2", "m1"))))

        routes = {f"{CONVERSATIONS}/conv_{number}/items": answer for number in (1, 2)}
        with reading(routes) as (reader, server):
            for conversation in ("conv_1", "conv_2"):
                assert ids(reader, "message", conversation) == ["m1", "m2"]
        assert [asked.query["order"] for asked in server.asked] == ["asc", "desc", "asc"]
        assert {asked.query["limit"] for asked in server.asked} == {"100"}

    def test_items_that_come_the_same_way_whatever_is_asked_are_reported(self) -> None:
        path = f"{CONVERSATIONS}/conv_1/items"
        with (
            reading({path: pages_of(start=listing("m1", "m2"))}) as (reader, _),
            pytest.raises(PaginationError, match="order"),
        ):
            ids(reader, "message", "conv_1")

    @pytest.mark.parametrize("kind", ["run", "run_step"])
    def test_runs_are_not_asked_for(self, kind: str) -> None:
        with reading({}) as (reader, server):
            assert list(reader.pages(kind, "conv_1")) == []
        assert server.asked == []


def value(*names: str, link: str = "") -> dict[str, Any]:
    """A page of a listing in Azure's own form."""
    rows = [{"name": name, "id": f"/connections/{name}"} for name in names]
    return {"value": rows, **({"nextLink": link} if link else {})}


class TestInventory:
    PATH = f"{PROJECT}/deployments"

    def test_pages_are_followed_by_their_address(self) -> None:
        def answer(asked: RecordedRequest) -> Reply:
            second = f"http://{asked.headers['host']}{self.PATH}?api-version=v1&skip=2"
            return Reply(body=value("c") if "skip" in asked.query else value("a", "b", link=second))

        with reading({self.PATH: answer}) as (reader, server):
            assert list(reader.deployments() or {}) == ["a", "b", "c"]
        assert [asked.query for asked in server.asked] == [
            {"api-version": "v1"},
            {"api-version": "v1", "skip": "2"},
        ]

    def test_an_address_without_a_host_is_on_this_one(self) -> None:
        def answer(asked: RecordedRequest) -> Reply:
            return Reply(body=value("b") if "skip" in asked.query else value("a", link=f"{self.PATH}?skip=1"))

        with reading({self.PATH: answer}) as (reader, _):
            assert list(reader.deployments() or {}) == ["a", "b"]

    @pytest.mark.parametrize(
        "link", ["http://127.0.0.1:1{path}", "https://{host}{path}", "//example.com{path}"]
    )
    def test_another_host_is_never_followed(self, link: str) -> None:
        def answer(asked: RecordedRequest) -> Reply:
            return Reply(body=value("a", link=link.format(host=asked.headers["host"], path=asked.path)))

        with (
            reading({self.PATH: answer}) as (reader, server),
            pytest.raises(RequestFailed, match="another host"),
        ):
            reader.deployments()
        assert len(server.asked) == 1

    @pytest.mark.parametrize(
        "spelled", ["HTTP://127.0.0.1:{port}{path}?skip=1", "//127.0.0.1:{port}{path}?skip=1"]
    )
    def test_this_host_in_another_spelling_is_this_host(self, spelled: str) -> None:
        def answer(asked: RecordedRequest) -> Reply:
            port = asked.headers["host"].rpartition(":")[2]
            link = spelled.format(port=port, path=self.PATH)
            return Reply(body=value("b") if "skip" in asked.query else value("a", link=link))

        with reading({self.PATH: answer}) as (reader, _):
            assert list(reader.deployments() or {}) == ["a", "b"]

    def test_another_server_gets_no_token(self) -> None:
        with serving(lambda _: Reply(body=value("stolen"))) as other:
            page = Reply(body=value("a", link=f"{other.url}/deployments"))
            with (
                reading({self.PATH: lambda _: page}) as (reader, _),
                pytest.raises(RequestFailed, match="another host"),
            ):
                reader.deployments()
            assert other.asked == []

    @pytest.mark.parametrize("pages", [1, 2, 3])
    def test_a_page_that_leads_back_to_one_that_was_read_is_no_end(self, pages: int) -> None:
        def answer(asked: RecordedRequest) -> Reply:
            skip = int(asked.query.get("skip", "0")) % pages
            return Reply(body=value(f"d{skip}", link=f"{self.PATH}?skip={skip + 1}"))

        with reading({self.PATH: answer}) as (reader, server):
            with pytest.raises(RequestFailed, match="leads back"):
                reader.deployments()
            assert len(server.asked) == pages + 1

    @pytest.mark.parametrize("row", [None, "name", 7, [], True])
    def test_a_row_that_is_no_object_is_a_failed_request(self, row: Any) -> None:
        page = {"value": [{"name": "a"}, row]}
        with (
            reading({self.PATH: lambda _: Reply(body=page)}) as (reader, _),
            pytest.raises(RequestFailed, match="not an object"),
        ):
            reader.deployments()

    def test_connections_are_known_by_their_ids(self) -> None:
        with reading({f"{PROJECT}/connections": lambda _: Reply(body=value("a", "b"))}) as (reader, _):
            assert list(reader.connections() or {}) == ["/connections/a", "/connections/b"]

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_a_listing_that_nobody_may_see_is_none(self, status: int) -> None:
        with reading({self.PATH: lambda _: Reply(status)}) as (reader, _):
            assert reader.deployments() is None

    def test_an_answer_without_rows_is_a_failed_request(self) -> None:
        with (
            reading({self.PATH: lambda _: Reply(body={"data": []})}) as (reader, _),
            pytest.raises(RequestFailed, match="`value`"),
        ):
            reader.deployments()


class TestClassicFiles:
    """Files of classic agents are documented without paging."""

    PATH = f"{PROJECT}/files"
    ROWS = [{"id": f"assistant-{n}"} for n in range(3)]  # noqa: RUF012
    REFUSED = Reply(400, {"error": {"message": "Unknown parameter.", "code": None}})

    def unpaged(self, refused: set[str], status: int = 400, **envelope: Any) -> Answer:
        """Returns everything at once, and refuses these parameters."""
        whole = Reply(body={"object": "list", "data": self.ROWS, **envelope})
        no = Reply(status, self.REFUSED.body)
        return lambda asked: no if refused & asked.query.keys() else whole

    @pytest.mark.parametrize("refused", [set(), {"after"}, {"after", "limit", "order"}])
    def test_a_list_without_a_word_about_more_is_whole(self, refused: set[str]) -> None:
        with reading({self.PATH: self.unpaged(refused)}, "foundry-classic") as (reader, server):
            assert ids(reader, "file") == ["assistant-0", "assistant-1", "assistant-2"]
        assert len(server.asked) <= 3
        assert {asked.query["api-version"] for asked in server.asked} == {"v1"}

    def test_where_it_is_paged_the_pages_are_followed(self) -> None:
        pages = pages_of(start=listing("a", "b", more=None), b=listing("c", more=None), c=listing(more=None))
        with reading({self.PATH: pages}, "foundry-classic") as (reader, _):
            assert ids(reader, "file") == ["a", "b", "c"]

    @pytest.mark.parametrize("status", [400, 404])
    def test_a_page_that_was_promised_and_is_refused_is_a_failure(self, status: int) -> None:
        answer = self.unpaged({"after"}, status, has_more=True)
        with reading({self.PATH: answer}, "foundry-classic") as (reader, _), pytest.raises(RequestFailed):
            ids(reader, "file")

    def test_another_refusal_is_a_failure(self) -> None:
        with (
            reading({self.PATH: lambda _: self.REFUSED}, "foundry-classic") as (reader, _),
            pytest.raises(RequestFailed, match="Unknown parameter"),
        ):
            ids(reader, "file")
