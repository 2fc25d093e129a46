"""A Foundry project for one test: raw HTTP requests, and the SDK for projects."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy

from migrate.emulator import Emulator

KEY = "secret-of-this-test"
ROOT = "/api/projects/demo"
V1 = "/openai/v1"


@dataclass
class Project:
    """Requests of paths below the project, with a version in the query except on v1 paths."""

    emulator: Emulator
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {KEY}"})
    answered: dict[str, str] = field(default_factory=dict)  # the headers of the last answer

    def __call__(self, method: str, path: str, body: Any = None, /, **query: Any) -> tuple[int, Any]:
        versioned = {} if path.startswith(V1) else {"api-version": "v1"}
        asked = urlencode({**versioned, **query})
        raw = None if body is None else json.dumps(body).encode()
        return self.send(method, f"{quote(path)}?{asked}" if asked else quote(path), raw)

    def send(self, method: str, target: str, raw: bytes | None = None, **headers: str) -> tuple[int, Any]:
        status, body = self._sent(method, target, raw, headers)
        return status, json.loads(body)

    def download(self, file_id: str, at: str = V1) -> tuple[int, bytes]:
        return self._sent("GET", f"{at}/files/{file_id}/content{'' if at else '?api-version=v1'}", None, {})

    def _sent(
        self, method: str, target: str, raw: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.emulator.url).netloc)
        try:
            connection.request(method, ROOT + target, raw, {**self.headers, **headers})
            response = connection.getresponse()
            self.answered = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response.read()
        finally:
            connection.close()

    def ok(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        status, answer = self(method, path, body, **query)
        assert status == 200, answer
        return answer

    def refused(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """The error of a 400 of agents and conversations."""
        status, answer = self(method, path, body, **query)
        assert status == 400, answer
        error = answer["error"]
        assert list(error) == ["code", "message", "param", "type", "details", "additionalInfo"]
        assert (error["code"], error["type"], error["details"]) == (
            "invalid_payload",
            "invalid_request_error",
            [],
        )
        return error

    def agent(self, name: str = "MyAgent", **definition: Any) -> Any:
        body = {"definition": {"kind": "prompt", "model": "gpt-4.1", **definition}}
        return self.ok("POST", f"/agents/{name}/versions", body)

    def conversation(self, *texts: str) -> str:
        items = [{"type": "message", "role": "user", "content": text} for text in texts]
        conversation_id: str = self.ok("POST", f"{V1}/conversations", {"items": items})["id"]
        return conversation_id

    def upload(self, name: str = "notes.txt", purpose: str = "assistants", at: str = V1, **parts: str) -> Any:
        """Through the multipart form, so that any part can be sent."""
        fields = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{part}"\r\n\r\n{value}\r\n'
            for part, value in {"purpose": purpose, **parts}.items()
        )
        file = (
            f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nhello\r\n--b--\r\n'
        )
        query = "" if at else "?api-version=v1"
        kind = "multipart/form-data; boundary=b"
        return self.send("POST", f"{at}/files{query}", (fields + file).encode(), **{"Content-Type": kind})

    def file(self, name: str = "notes.txt", purpose: str = "assistants", at: str = V1) -> str:
        status, answer = self.upload(name, purpose, at)
        assert status == 200, answer
        file_id: str = answer["id"]
        return file_id


@dataclass
class Credential:
    token: str

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        return AccessToken(self.token, int(time.time()) + 3600)


class AllowHttp(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """For loopback only: the SDK sends no token over plain http."""

    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False


def sdk(emulator: Emulator, token: str = KEY) -> AIProjectClient:
    return AIProjectClient(emulator.url, Credential(token), per_call_policies=[AllowHttp()], retry_total=0)
