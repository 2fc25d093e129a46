"""Valid and invalid requests, and the answer that each of the services would give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from migrate.model.masked_values import MASK
from tests.serve.api.archives import Made, MadeSnapshot, make_archive, messages, named
from tests.serve.api.serving import VERSION, ServedApi, serving_api

ODD_IDS = ("a/b", "..", ".", "a b", "a%2Fb", "?limit=1", "#x", "ö/\u2028", "a\\ud800", "//x", "{id}", "a+b")
PROJECT_URL = "https://acme.services.ai.azure.com/api/projects/"
SECRET_TOOL = {
    "type": "mcp",
    "server_url": "https://h/?sig=abc",
    "headers": {"Authorization": "Bearer very-secret"},
}
EVERY_FAMILY = (
    f"/openai/assistants?{VERSION}",
    "/openai/v1/files",
    "/v1/files",
    "/api/projects/shop/assistants?api-version=v1",
    "/api/projects/shop/agents?api-version=v1",
    "/api/projects/shop/openai/v1/conversations",
    "/api/projects/shop/openai/v1/files",
)


def estates(odd: bool = True) -> Iterator[MadeSnapshot]:
    ids = ODD_IDS if odd else ("thread_1",)
    yield MadeSnapshot(
        [
            Made(
                "assistant",
                "",
                [{"id": "asst_1", "tools": [SECRET_TOOL], "instructions": "see https://u:p@host"}],
            ),
            Made("thread", "", named(*ids, object="thread")),
            *(Made("message", id_, messages(3, id_)) for id_ in ids),
            *(Made("run", id_, named("run/1", object="thread.run")) for id_ in ids),
            *(Made("run_step", id_, named("step/1", run_id="run/1")) for id_ in ids),
            Made("file", "", named("f/1", purpose="assistants", bytes=6)),
            Made("vector_store", "", []),
        ],
        files={"f/1": (b"abcdef", "download")},
    )
    others = [Made("thread", ""), Made("file", ""), Made("vector_store", "")]
    openai = [Made("assistant", "", named("asst_o")), *others]
    yield MadeSnapshot(openai, "openai", "https://api.openai.com/v1", "")
    for type_ in ("foundry-classic", "foundry"):
        yield MadeSnapshot(
            [
                Made("assistant", "", named(f"{type_}-agent", object="agent")),
                Made("thread", "", named("t-1")),
                Made("message", "t-1", named("item-1", type="message")),
                Made("file", "", named("file-p")),
                Made("vector_store", ""),
            ],
            type_, f"{PROJECT_URL}shop", "v1",
        )  # fmt: skip


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    path = make_archive(tmp_path_factory.mktemp("requests") / "estates.db", *estates())
    with serving_api(path) as served:
        yield served


@pytest.mark.parametrize("id_", ODD_IDS)
def test_an_id_is_one_part_of_a_path_whatever_it_has(api: ServedApi, id_: str) -> None:
    part = quote(id_, safe="").replace(".", "%2E")
    assert api.azure(f"threads/{part}").json["id"] == id_
    assert api.azure(f"threads/{part}/messages", "order=asc").ids == ["msg_0", "msg_1", "msg_2"]
    assert api.azure(f"threads/{part}/runs/run%2F1/steps/step%2F1").json["run_id"] == "run/1"
    assert quote(id_) in quote("".join(api.azure("threads", "limit=100").ids))


def test_a_path_is_taken_as_it_is(api: ServedApi) -> None:
    assert api.azure("threads/").ids == api.azure("threads").ids
    for path in (
        "threads/a/b",
        "threads//messages",
        "threads/a%2Fb/messages/msg_0/x",
        "nothing",
        "threads/%FF",
    ):
        api.refused(f"/openai/{path}?{VERSION}", 404)
    for path in (
        "//openai/threads",
        "/%6fpenai%2Fthreads",
        "/openai",
        "/estates",
        "/estates/1",
        "/estates/1/x",
    ):
        assert api.send(f"{path}?{VERSION}").status in (401, 404), path


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "limit=%00", f"limit={'9' * 5000}", "order=up", "order=ASC"),
        *("after=nobody", "before=", f"after={'x' * 3000}", "after=%F0%9F", "after=msg_1%00", "after=asst_1"),
    ],
)
def test_a_query_that_is_wrong_is_refused(api: ServedApi, query: str) -> None:
    reply = api.refused(f"/openai/threads/a%2Fb/messages?{VERSION}&{query}", 400)
    name = query.partition("=")[0]
    assert reply.json["error"]["param"] == name
    assert list(reply.json["error"]) == ["message", "type", "param", "code"]
    project = api.refused(f"/api/projects/shop/openai/v1/conversations?{query}", 400)
    assert project.json["error"]["param"] == f"/{name}"
    assert (project.json["error"]["code"], project.json["error"]["details"]) == ("invalid_payload", [])


def test_both_cursors_bound_a_page(api: ServedApi) -> None:
    path = "threads/a%2Fb/messages"
    assert api.azure(path, "order=asc&after=msg_0&before=msg_2").ids == ["msg_1"]
    assert api.azure(path, "before=msg_0").ids == ["msg_2", "msg_1"]
    page = api.azure(path, "after=msg_0").json
    assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.mark.parametrize("path", EVERY_FAMILY)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_answered(api: ServedApi, path: str, method: str) -> None:
    reply = api.refused(path, 405, method, body=b'{"role":"user"}' if method == "POST" else None)
    assert "can only be read" in reply.message
    assert reply.headers["allow"] == "GET, HEAD"


def test_what_runs_a_model_is_refused_by_the_same_sentence(api: ServedApi) -> None:
    for path in ("/v1/responses", "/openai/deployments/gpt/chat/completions", "/v1/vector_stores/vs/search"):
        assert "can only be read" in api.refused(path, 405, "POST", body=b"{}").message


@pytest.mark.parametrize("path", [*EVERY_FAMILY, f"/openai/files/f%2F1/content?{VERSION}"])
def test_head_is_get_without_its_body(api: ServedApi, path: str) -> None:
    headers = {"openai_beta": "assistants=v2"}
    got, head = api.ok(path, **headers), api.send(path, "HEAD", **headers)
    assert (head.status, head.body) == (200, b"")
    same = ("content-length", "content-type")
    assert [head.headers[name] for name in same] == [got.headers[name] for name in same]
    assert int(head.headers["content-length"]) == len(got.body)


def test_every_answer_has_the_headers_of_its_service(api: ServedApi) -> None:
    for path, names in zip(EVERY_FAMILY, (2, 2, 1, 2, 1, 1, 2), strict=True):
        for reply in (
            api.ok(path),
            api.send(path.replace("?", "/nobody?") if "?" in path else f"{path}/nobody"),
        ):
            assert reply.headers["content-type"] == "application/json"
            assert ("x-request-id" in reply.headers) + ("apim-request-id" in reply.headers) == names
            assert ("api-supported-versions" in reply.headers) is (
                "agents" in path or "conversations" in path
            )


def test_an_object_that_is_not_there_is_named_as_the_service_names_it(api: ServedApi) -> None:
    shop = "/api/projects/shop"
    for path, message in {
        f"/openai/assistants/no?{VERSION}": "No assistant found with id 'no'.",
        f"/openai/threads/no?{VERSION}": "No thread found with id 'no'.",
        f"/openai/threads/no/messages?{VERSION}": "No thread found with id 'no'.",
        f"/openai/threads/a%2Fb/messages/no?{VERSION}": "No message found with id 'no'.",
        f"/openai/threads/a%2Fb/runs/no/steps?{VERSION}": "No run found with id 'no'.",
        f"/openai/threads/a%2Fb/runs/run%2F1/steps/no?{VERSION}": "No run step found with id 'no'.",
        f"/openai/vector_stores/no/files?{VERSION}": "No vector store found with id 'no'.",
        "/openai/v1/files/no": "No such File object: no",
        "/v1/files/no/content": "No such File object: no",
        f"{shop}/agents/no?api-version=v1": "Agent no doesn't exist",
        f"{shop}/openai/v1/conversations/no/items": "Conversation 'no' not found",
        f"{shop}/openai/v1/conversations/t-1/items/no": "Item 'no' not found in conversation 't-1'",
    }.items():
        assert api.refused(path, 404).message == message


def test_versions_and_headers_that_a_service_asks_for(api: ServedApi) -> None:
    api.refused("/openai/assistants", 404)
    api.refused("/openai/assistants?api-version=2023-05-15", 404)
    api.ok("/openai/assistants?api-version=2024-08-01-preview")
    old = api.refused("/openai/assistants?api-version=2024-02-15-preview", 424)
    assert "api-version=2025-03-01-preview" in old.message
    api.ok("/openai/v1/files?api-version=preview")
    api.refused("/openai/v1/files?api-version=2025-03-01-preview", 400)
    api.refused("/openai/v1/assistants", 404)
    assert api.refused("/v1/assistants", 400).json["error"]["code"] == "invalid_beta"
    for beta in ("assistants=v2", "other=v1, assistants=v2"):
        assert api.ok("/v1/assistants", openai_beta=beta).ids == ["asst_o"]
    assert api.refused("/v1/nothing", 404).message == "Unknown request URL: GET /v1/nothing."
    shop = "/api/projects/shop"
    api.refused(f"{shop}/agents", 400)
    api.refused(f"{shop}/assistants?api-version=2024-01-01", 400)
    api.refused(f"{shop}/openai/v1/conversations?api-version=v1", 400)
    assert api.ok(f"{shop}/openai/conversations?api-version=2025-11-15-preview").ids == ["t-1"]
    assert api.ok(f"{shop}/openai/files?api-version=2025-11-15-preview").ids == ["file-p"]
    assert api.refused(f"{shop}/files?api-version=v1&limit=2", 400).json["error"]["param"] == "limit"


def test_the_oldest_version_is_asked_for_what_was_read_with_it(tmp_path: Path) -> None:
    old = {"id": "asst_1", "file_ids": ["f"], "tools": [{"type": "retrieval"}]}
    read = [Made("assistant", "", [old])]
    path = make_archive(tmp_path / "a.db", MadeSnapshot(read, version="2024-02-15-preview"))
    with serving_api(path) as api:
        assert api.ok("/openai/assistants/asst_1?api-version=2024-02-15-preview").json == old
        refused = api.refused(f"/openai/assistants/asst_1?{VERSION}", 424)
        assert "api-version=2024-02-15-preview" in refused.message


def test_credentials_are_masked_and_the_rest_is_verbatim(api: ServedApi) -> None:
    reply = api.azure("assistants/asst_1")
    assert b"very-secret" not in reply.body
    assert b"sig=abc" not in reply.body
    assert b"u:p@" not in reply.body
    assert reply.json["tools"][0]["headers"] == {"Authorization": MASK}
    assert api.azure("assistants").json["data"] == [reply.json]
    assert api.azure("threads/a%2Fb/messages/msg_1").json == messages(3, "a/b")[1]


def test_what_a_snapshot_never_reads_is_not_called_unknown(api: ServedApi) -> None:
    shop = "/api/projects/shop"
    for path in (f"{shop}/deployments?api-version=v1", f"{shop}/connections/c?api-version=v1", "/v1/models",
                 f"{shop}/openai/v1/responses/resp_1", "/v1/conversations/conv_1/items",
                 "/v1/vector_stores/vs/file_batches/b/files"):  # fmt: skip
        reply = api.refused(path, 424)
        assert reply.json["error"]["code"] == "not_in_archive"


def test_a_request_without_the_key_is_refused_in_the_form_of_its_service(api: ServedApi) -> None:
    for path in EVERY_FAMILY:
        reply = api.refused(path, 401, api_key="wrong-key-of-somebody")
        error = reply.json["error"]
        assert error["code"] == ("invalid_api_key" if path.startswith("/v1") else "401")


@pytest.mark.parametrize("families", [{"azure"}, {"openai", "foundry"}, set()])
def test_only_the_chosen_families_are_served(tmp_path: Path, families: set[str]) -> None:
    path = make_archive(tmp_path / "estates.db", *estates(odd=False))
    with serving_api(path, apis=frozenset(families)) as api:
        statuses = {path: api.send(path).status for path in EVERY_FAMILY}
    for path, family in zip(EVERY_FAMILY, ("azure", "azure", "openai", *["foundry"] * 4), strict=True):
        assert statuses[path] == (200 if family in families else 404), path


def test_several_estates_are_told_apart_by_their_number(tmp_path: Path) -> None:
    threads = [Made("thread", "", named("t"))]
    path = make_archive(
        tmp_path / "estates.db",
        MadeSnapshot([Made("thread", "", named("east"))]),
        MadeSnapshot([Made("thread", "", named("west"))], url="https://west.openai.azure.com"),
        MadeSnapshot(threads, "foundry", f"{PROJECT_URL}Shop%20one", "v1"),
        MadeSnapshot(threads, "foundry", "https://other.services.ai.azure.com/api/projects/garden", "v1"),
        MadeSnapshot(threads, "foundry-classic", f"{PROJECT_URL}garden", "v1"),
        MadeSnapshot(threads, "config", "file:///somewhere"),
    )
    with serving_api(path) as api:
        for prefix in ("/estates/1", "/estates/2"):
            assert prefix in api.refused(f"/openai/threads?{VERSION}", 404).message
        assert api.ok(f"/estates/1/openai/threads?{VERSION}").ids == ["east"]
        assert api.ok(f"/estates/2/openai/threads?{VERSION}").ids == ["west"]
        for wrong in ("/estates/3", "/estates/9", "/estates/x", "/estates/01"):
            assert "/estates/1" in api.refused(f"{wrong}/openai/threads?{VERSION}", 404).message
        assert api.refused("/v1/files", 404).message == "This archive has no OpenAI project."
        conversations = "openai/v1/conversations"
        assert api.ok(f"/api/projects/shop%20one/{conversations}").ids == ["t"]
        assert "/estates/4" in api.refused(f"/api/projects/garden/{conversations}", 404).message
        assert api.ok(f"/estates/4/api/projects/garden/{conversations}").ids == ["t"]
        other = api.refused(f"/estates/5/api/projects/garden/{conversations}", 424)
        assert "Foundry project with classic agents" in other.message
        assert "/estates/3" in api.refused(f"/api/projects/none/{conversations}", 404).message
        assert api.ok(f"/estates/4/api/projects/any/{conversations}").ids == ["t"]


def test_a_project_behind_a_gateway_has_no_name_in_its_address(tmp_path: Path) -> None:
    made = MadeSnapshot([Made("thread", "", named("t"))], "foundry", "https://gateway.example.com/ai", "v1")
    with serving_api(make_archive(tmp_path / "a.db", made)) as api:
        assert api.ok("/api/projects/whatever/openai/v1/conversations").ids == ["t"]


def test_both_generations_of_a_project_are_one_place(api: ServedApi) -> None:
    shop = "/api/projects/shop"
    assert api.ok(f"{shop}/assistants?api-version=v1").ids == ["foundry-classic-agent"]
    assert api.ok(f"{shop}/agents?api-version=v1").ids == ["foundry-agent"]
    assert api.ok(f"/estates/3{shop}/agents?api-version=v1").ids == ["foundry-agent"]
