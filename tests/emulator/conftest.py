"""A running emulator for each test and an SDK client for it; answers are pairs of status and JSON."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
import pytest

from migrate.emulator import Emulator, Options
from tests.emulator.project import Project

KEY = "secret-of-this-test"
VERSION = "2025-03-01-preview"
CLASSIC_VERSION = "v1"
SERVICES = ("azure-openai", "openai", "foundry")

# By default a client reads the certificates of the system, which takes 0.1 s. Loopback speaks plain http.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Answer = tuple[int, Any]


@dataclass
class Api:
    """One SDK client that returns raw answers, errors included."""

    emulator: Emulator
    client: openai.OpenAI

    def __call__(self, method: str, path: str, body: Any = None, /, **query: Any) -> Answer:
        call: Any = getattr(self.client, method.lower())
        options: dict[str, Any] = {"params": query}
        beta = self.emulator.options.service == "openai"
        options["headers"] = {"OpenAI-Beta": "assistants=v2"} if beta else {}
        keywords = {} if method == "GET" else {"body": body}
        try:
            response = call(path, cast_to=httpx2.Response, options=options, **keywords)
        except openai.APIStatusError as error:
            response = error.response
        return response.status_code, response.json()

    def ok(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        status, answer = self(method, path, body, **query)
        assert status == 200, answer
        return answer

    def refused(self, method: str, path: str, body: Any = None, /, **query: Any) -> str:
        """The message of a 400."""
        status, answer = self(method, path, body, **query)
        assert status == 400, answer
        assert answer["error"].keys() == {"message", "type", "param", "code"}
        message: str = answer["error"]["message"]
        return message

    def file(self, name: str = "notes.txt", content: bytes = b"hello", purpose: Any = "assistants") -> str:
        return self.client.files.create(file=(name, content), purpose=purpose).id

    def thread(self, **body: Any) -> str:
        thread_id: str = self.ok("POST", "/threads", body)["id"]
        return thread_id


def connect(emulator: Emulator, version: str = VERSION, key: str = KEY) -> Api:
    client: openai.OpenAI
    keywords: Any = {"max_retries": 0, "http_client": openai.DefaultHttpxClient(verify=NO_CERTIFICATES)}
    if emulator.options.service == "openai":
        client = openai.OpenAI(base_url=emulator.url, api_key=key, **keywords)
    elif emulator.options.service == "foundry":
        client = openai.AzureOpenAI(
            base_url=emulator.url, azure_ad_token=key, api_version=CLASSIC_VERSION, **keywords
        )
    else:
        client = openai.AzureOpenAI(azure_endpoint=emulator.url, api_key=key, api_version=version, **keywords)
    return Api(emulator, client)


Launch = Callable[..., Api]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Start an emulator with any options and connect to it."""
    with ExitStack() as stack:

        def start(service: Any = "azure-openai", version: str = VERSION, **options: Any) -> Api:
            emulator = stack.enter_context(
                Emulator(Options(service=service, key=KEY, **{"ingestion_seconds": 0, **options}))
            )
            api = connect(emulator, version)
            stack.callback(api.client.close)
            return api

        yield start


@pytest.fixture
def azure(launch: Launch) -> Api:
    return launch("azure-openai")


@pytest.fixture
def platform(launch: Launch) -> Api:
    return launch("openai")


@pytest.fixture(params=SERVICES)
def api(request: pytest.FixtureRequest, launch: Launch) -> Api:
    """Each service in turn, for rules they share. The project is addressed as classic agents."""
    return launch(request.param)


@pytest.fixture(params=["azure-openai", "openai"])
def assistants_api(request: pytest.FixtureRequest, launch: Launch) -> Api:
    """The services except classic agents, which do not have this or do it in another way."""
    return launch(request.param)


@pytest.fixture
def classic(launch: Launch) -> Api:
    return launch("foundry")


@pytest.fixture
def launch_project(launch: Launch) -> Callable[..., Project]:
    return lambda **options: Project(launch("foundry", **options).emulator)


@pytest.fixture
def project(launch_project: Callable[..., Project]) -> Project:
    return launch_project()
