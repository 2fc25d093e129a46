"""Access: keys, versions, the beta header, retired routes, malformed requests."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from migrate.emulator import Emulator, Options

GATEWAY_404 = {"error": {"code": "404", "message": "Resource not found"}}
KEY = "secret-of-this-test"
DATED = "/openai/assistants?api-version=2025-03-01-preview"


def ask(
    emulator: Emulator, path: str, method: str = "GET", **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """A request without the SDK, so that headers can be left out."""
    connection = http.client.HTTPConnection(urlsplit(emulator.url).netloc)
    connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read()), dict(response.getheaders())
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"api_key": KEY}, 200),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": KEY}, 401),
        ({"api_key": "wrong"}, 401),
        ({}, 401),
    ],
)
def test_azure_accepts_the_key_in_two_headers(azure, headers, status):
    for path in (DATED, "/openai/v1/files"):
        assert ask(azure.emulator, path, **headers)[0] == status


def test_azure_refuses_with_the_error_of_its_gateway(azure):
    _, body, _ = ask(azure.emulator, DATED)
    assert body["error"].keys() == {"code", "message"}
    assert body["error"]["code"] == "401"


@pytest.mark.parametrize("headers", [{}, {"api_key": KEY}, {"authorization": "Bearer wrong"}])
def test_openai_accepts_bearer_only_and_repeats_no_key(platform, headers):
    status, body, _ = ask(platform.emulator, "/v1/files", **headers)
    assert status == 401
    assert body["error"]["type"] == "invalid_request_error"
    assert "wrong" not in body["error"]["message"]


@pytest.mark.parametrize("query", ["", "?api-version=2024-10-21", "?api-version=v1"])
def test_dated_routes_require_a_known_version(azure, query):
    status, body, _ = ask(azure.emulator, f"/openai/assistants{query}", api_key=KEY)
    assert (status, body) == (404, GATEWAY_404)


@pytest.mark.parametrize("query", ["", "?api-version=v1", "?api-version=preview"])
def test_v1_has_files_and_stores_and_nothing_else(azure, query):
    for path, status in (("files", 200), ("vector_stores", 200), ("assistants", 404), ("threads", 404)):
        assert ask(azure.emulator, f"/openai/v1/{path}{query}", api_key=KEY)[0] == status


def test_v1_refuses_dates(azure):
    assert ask(azure.emulator, "/openai/v1/files?api-version=2025-03-01-preview", api_key=KEY)[0] == 400


def test_v1_works_with_the_plain_client_and_shares_the_files(azure):
    file_id = azure.file()
    with openai.OpenAI(base_url=f"{azure.emulator.url}/openai/v1/", api_key=KEY) as client:
        assert client.files.retrieve(file_id).id == file_id
        assert client.vector_stores.create(name="s").name == "s"


@pytest.mark.parametrize("path", ["assistants", "threads/thread_x"])
@pytest.mark.parametrize("beta", ["", "assistants=v1"])
def test_openai_requires_the_beta_header(platform, path, beta):
    headers = {"authorization": f"Bearer {KEY}", "openai_beta": beta}
    status, body, _ = ask(platform.emulator, f"/v1/{path}", **headers)
    assert (status, body["error"]["code"]) == (400, "invalid_beta")
    for lasting in ("files", "vector_stores"):  # the latter recorded 2025-09 to 2026-03
        assert ask(platform.emulator, f"/v1/{lasting}", **headers)[0] == 200


def test_request_ids(azure, platform):
    _, _, headers = ask(azure.emulator, DATED, api_key=KEY)
    assert {"x-request-id", "apim-request-id"} <= headers.keys()
    _, _, headers = ask(platform.emulator, "/v1/files")
    assert "x-request-id" in headers
    assert "apim-request-id" not in headers


def test_more_than_ten_custom_headers(azure):
    custom = {f"x_ms_{number}": "1" for number in range(11)}
    assert ask(azure.emulator, DATED, api_key=KEY, **custom)[0] == 431


@pytest.mark.parametrize("path", ["/assistants", "/threads", "/threads/thread_x/messages"])
def test_retired_routes_are_gone_and_files_remain(launch, path):
    azure, platform = launch("azure-openai", retired=True), launch("openai", retired=True)
    assert azure("GET", path) == (404, GATEWAY_404)
    assert azure("POST", path, {}) == (404, GATEWAY_404)
    status, body = platform("GET", path)
    assert (status, body["error"]["code"]) == (404, "unknown_url")
    for api in (azure, platform):
        assert api.ok("GET", "/files")["data"] == api.ok("GET", "/vector_stores")["data"] == []


def test_every_dated_route_can_be_gone(launch):
    azure = launch(dated_paths_retired=True)
    assert azure("GET", "/files") == (404, GATEWAY_404)
    assert ask(azure.emulator, "/openai/v1/files", api_key=KEY)[0] == 200


def test_unknown_routes(api):
    status, body = api("GET", "/nowhere")
    assert status == 404
    assert (body == GATEWAY_404) == (api.emulator.options.service != "openai")
    assert api("DELETE", "/assistants")[0] == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.org", ""])
def test_only_loopback(host):
    with pytest.raises(ValueError, match="loopback"):
        Options(host=host)


def test_options_are_checked():
    with pytest.raises(ValueError, match="service"):
        Options(service="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="key"):
        Options(key="")
    with pytest.raises(ValueError, match="no folder"):
        Options(state=Path("nowhere"))


def test_requests_are_recorded_on_request(launch):
    api = launch(record=True)
    thread = api.thread(metadata={"a": "b"})
    api.file(content=b"x" * 100)
    first, upload = api.emulator.requests
    assert (first.method, first.path, first.status) == ("POST", "/openai/threads", 200)
    assert first.query == {"api-version": "2025-03-01-preview"}
    assert json.loads(first.body) == {"metadata": {"a": "b"}}
    assert first.headers["api-key"] == KEY
    assert (upload.path, upload.body) == ("/openai/files", b"")
    assert thread in api.emulator.estate.threads


def test_a_wrapper_can_be_in_front_of_the_service():
    def answer_418(_app):
        async def answer(_scope, _receive, send):
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

        return answer

    with Emulator(Options(), wrap=answer_418) as emulator:
        assert ask(emulator, "/openai/files")[0] == 418


def test_a_body_must_be_a_json_object(api):
    connection = http.client.HTTPConnection(urlsplit(api.emulator.url).netloc)
    paths = {
        "azure-openai": "/openai/threads?api-version=2025-03-01-preview",
        "openai": "/v1/threads",
        "foundry": "/api/projects/demo/threads?api-version=v1",
    }
    headers = {"authorization": f"Bearer {KEY}", "openai-beta": "assistants=v2"}
    for body in (b"{", b"[]", b'"text"'):
        connection.request("POST", paths[api.emulator.options.service], body, headers)
        response = connection.getresponse()
        assert (response.status, response.read()[:9]) == (400, b'{"error":')
    connection.close()
