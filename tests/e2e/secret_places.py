"""An archive with a credential in every place where `show` masks one, and the names of these places."""

from __future__ import annotations

import json
import re
from itertools import count, cycle
from pathlib import Path
from typing import Any

from migrate.archive import Archive
from migrate.stages.index.run import build_index
from tests.serve.api.archives import Made, MadeSnapshot, make_archive

Body = dict[str, Any]
PLANTED = re.compile(r"PLANTED[0-9]{4}", re.IGNORECASE)
URLS = {
    "azure-openai": "https://a.openai.azure.com",
    "foundry": "https://b.services.ai.azure.com/api/projects/p",
}


class Planter:
    """Makes credentials, each other than the ones before, and remembers where each of them is."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self._numbers = count(1_000)
        self._forms = cycle(
            (
                "see https://x.example/a?code={}&b=1 there",
                "see https://user:{}@host.example/p there",
                "key sk-{}abcdefghijklmnopqrst there",
                "see https://hooks.slack.com/services/T0/B0/{} there",
                "AccountKey={}abcdefghijklmnop+/==;EndpointSuffix=core.windows.net there",
                "see sig={}abcdefghijklmnop%3D there",
                "Server=s.example; User ID=me; Password={}; there",
            )
        )

    def bare(self, place: str) -> str:
        """A credential by itself, as it stands below a key such as `authorization`."""
        secret = f"PLANTED{next(self._numbers)}"
        self.places[secret] = place
        return secret

    def text(self, place: str) -> str:
        """A text with a credential in it, of one form after the other."""
        return next(self._forms).format(self.bare(place))

    def leaks(self, text: str) -> set[str]:
        """The places whose credentials are in a text."""
        return {self.places[found.upper()] for found in PLANTED.findall(text)}

    def metadata(self, place: str) -> Body:
        """Pairs with a credential in a value and in a key."""
        return {
            "title": self.text(f"{place} metadata"),
            f"https://k.example/?code={self.bare(f'{place} key')}": "v",
        }

    def tools(self, place: str) -> list[Body]:
        """Tools with everything that their owner may set."""
        address = f"/run?sig={self.bare(f'{place} path of a specification')}"
        return [
            {
                "type": "mcp",
                "server_label": "srv",
                "server_url": f"https://m.example/sse?key={self.bare(f'{place} server_url')}",
                "headers": {"X-Auth": self.bare(f"{place} headers")},
                "authorization": self.bare(f"{place} authorization"),
            },
            {
                "type": "openapi",
                "openapi": {
                    "name": "o",
                    "description": self.text(f"{place} openapi"),
                    "spec": {
                        "servers": [{"url": self.text(f"{place} server")}],
                        "paths": {address: {"get": self._operation(place)}},
                        "components": {
                            "securitySchemes": {
                                "main": {
                                    "type": "apiKey",
                                    "in": "header",
                                    "name": "X-Api-Key",
                                    "x-default": self.bare(f"{place} security scheme"),
                                }
                            }
                        },
                    },
                    "auth": {"api_key": self.bare(f"{place} api_key")},
                },
            },
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": self.text(f"{place} function"),
                    "parameters": {
                        "type": "object",
                        "properties": {
                            "api_key": {"type": "string", "default": self.bare(f"{place} argument")}
                        },
                    },
                },
            },
            {"type": "shell", "environment_variables": {"A": self.bare(f"{place} environment")}},
        ]

    def _operation(self, place: str) -> Body:
        """An operation of a specification with credentials as values of parameters."""
        body = {"schema": {"properties": {"client_secret": {"default": self.bare(f"{place} property")}}},
                "example": {"auth_token": self.bare(f"{place} body example")}}  # fmt: skip
        return {
            "parameters": [
                {"name": "code", "in": "query", "schema": {"default": self.bare(f"{place} default")}},
                {"name": "Authorization", "in": "header", "example": self.bare(f"{place} example"),
                 "examples": {"a": {"value": self.bare(f"{place} examples")}}},
            ],
            "requestBody": {"content": {"application/json": body}},
        }  # fmt: skip

    def resources(self, place: str) -> Body:
        """`tool_resources` with the headers of a server, and a file and a store."""
        return {
            "mcp": [{"server_label": "srv", "headers": {"h": self.bare(f"{place} resources")}}],
            "code_interpreter": {"file_ids": ["file-1"]},
            "file_search": {"vector_store_ids": ["vs_1"]},
        }


def secret_archive(path: Path) -> Planter:
    """Two snapshots of two estates, with another credential everywhere, and an index."""
    plant = Planter()
    snapshots = []
    for type_, url in URLS.items():
        for when in ("before", "after"):
            content = f"text of a file {plant.text('content')} end\n".encode()
            own = _foundry if type_ == "foundry" else _assistants
            snapshots.append(
                MadeSnapshot(
                    [*_shared(plant, when), *own(plant, when)],
                    type_,
                    url,
                    missing=[("file", "", "file-2", f"why {plant.text('reason')}", False)],
                    files={"file-1": (content, "download"), "file-3": (content, "parsed")},
                )
            )
    make_archive(path, *snapshots)
    with Archive.open(path, write=True) as archive:
        build_index(archive)
    return plant


def _shared(plant: Planter, when: str) -> list[Made]:
    files = [
        {"id": f"file-{n}", "object": "file", "created_at": 1, "bytes": 9, "purpose": plant.text("purpose"),
         "filename": f"f {plant.text(f'{when} file name')}.txt", "status_details": plant.text("file status")}
        for n in (1, 2, 3)
    ]  # fmt: skip
    store = {
        "id": "vs_1", "object": "vector_store", "created_at": 1, "name": plant.text(f"{when} store name"),
        "description": plant.text("store description"), "metadata": plant.metadata(f"{when} store"),
    }  # fmt: skip
    member = {
        "id": "file-1", "object": "vector_store.file", "created_at": 1, "vector_store_id": "vs_1",
        "status": "failed", "last_error": {"code": "c", "message": plant.text("error of a store's file")},
        "attributes": plant.metadata("attributes"),
    }  # fmt: skip
    thread = {
        "id": "thread_1", "object": "thread", "created_at": 1_772_359_200,
        "metadata": plant.metadata(f"{when} thread"), "tool_resources": plant.resources("thread"),
    }  # fmt: skip
    return [
        Made("file", "", files),
        Made("vector_store", "", [store]),
        Made("vector_store_file", "vs_1", [member], "incomplete", f"gap {plant.text('gap')}"),
        Made("thread", "", [thread]),
    ]


def _assistants(plant: Planter, when: str) -> list[Made]:
    assistant = {
        "id": "asst_1", "object": "assistant", "created_at": 1, "name": plant.text(f"{when} assistant name"),
        "description": plant.text("description"), "model": f"m {plant.text(f'{when} model')}",
        "instructions": plant.text(f"{when} instructions"), "tools": plant.tools(f"{when} assistant"),
        "tool_resources": plant.resources(f"{when} assistant"),
        "metadata": plant.metadata(f"{when} assistant"),
    }  # fmt: skip
    run = {
        "id": "run_1", "object": "thread.run", "thread_id": "thread_1", "assistant_id": "asst_1",
        "status": "failed", "model": f"m {plant.text('run model')}", "created_at": 1_772_359_201,
        "instructions": plant.text("run instructions"), "tools": plant.tools("run"),
        "metadata": plant.metadata("run"),
        "last_error": {"code": plant.text("error code"), "message": plant.text("error message")},
    }  # fmt: skip
    calls = [
        {"id": "c1", "type": "function", "function": {
            "name": plant.text("function name"), "output": plant.text("output"),
            "arguments": json.dumps({"u": plant.text("arguments")})}},
        {"id": "c2", "type": "code_interpreter", "code_interpreter": {
            "input": plant.text("code"), "outputs": [{"type": "logs", "logs": plant.text("logs")}]}},
        {"id": "c3", "type": "mcp", "name": plant.text("call"),
         "arguments": plant.text("arguments of a server"),
         "output": plant.text("output of a server"), "headers": {"h": plant.bare("headers of a call")}},
        {"id": "c4", "type": "search", "search": {"input": "x", "api_key": plant.bare("key of a call")}},
    ]  # fmt: skip
    step = {
        "id": "step_1", "object": "thread.run.step", "thread_id": "thread_1", "run_id": "run_1",
        "type": "tool_calls", "status": "failed", "created_at": 1_772_359_202,
        "step_details": {"type": "tool_calls", "tool_calls": calls}, "metadata": plant.metadata("step"),
        "last_error": {"code": "c", "message": plant.text("error of a step")},
    }  # fmt: skip
    return [
        Made("assistant", "", [assistant]),
        Made("message", "thread_1", _messages(plant)),
        Made("run", "thread_1", [run]),
        Made("run_step", "thread_1", [step]),
    ]


def _messages(plant: Planter) -> list[Body]:
    same = {"object": "thread.message", "thread_id": "thread_1", "created_at": 1_772_359_203}
    notes = [
        {"type": "file_citation", "text": "【1†s】",
         "file_citation": {"file_id": "file-1", "quote": plant.text("quote")}},
        {"type": "url_citation", "text": "【2†s】", "url_citation": {
            "url": f"https://z.example/?sig={plant.bare('cited address')}", "title": plant.text("title")}},
    ]  # fmt: skip
    content = [
        {"type": "text", "text": {"value": f"【1†s】 {plant.text('text')} 【2†s】", "annotations": notes}},
        {"type": "image_url", "image_url": {"url": f"https://i.example/?sig={plant.bare('image')}"}},
        {"type": "refusal", "refusal": plant.text("refusal")},
    ]
    asked = {
        **same, "id": "msg_1", "role": "user", "content": content, "metadata": plant.metadata("message"),
        "attachments": [{"file_id": "file-1", "tools": [{"type": plant.text("attachment")}]}],
    }  # fmt: skip
    answer = {
        **same, "id": "msg_2", "role": "assistant", "assistant_id": "asst_1", "run_id": "run_1",
        "incomplete_details": {"reason": plant.text("incomplete")}, "metadata": {},
        "content": [{"type": "text", "text": {"value": plant.text("answer"), "annotations": []}}],
    }  # fmt: skip
    odd = {**same, "id": "msg_3", "role": plant.text("role"), "content": [], "metadata": {}}
    return [asked, answer, odd]


def _foundry(plant: Planter, when: str) -> list[Made]:
    versions = {
        number: {
            "id": f"desk:{number}", "object": "agent.version", "name": "desk", "version": number,
            "metadata": plant.metadata(f"{when} agent"), "description": plant.text(f"{when} agent"),
            "definition": {"kind": "prompt", "model": "m", "instructions": plant.text(f"{when} agent says"),
                           "tools": plant.tools(f"{when} version {number}")},
        }
        for number in ("1", "2")
    }  # fmt: skip
    agent = {"id": "desk", "object": "agent", "name": "desk",
             "versions": {"latest": versions["2"], "1": versions["1"]}}  # fmt: skip
    items = [
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": plant.text("input")},
            {"type": "input_image", "image_url": f"https://i.example/?sig={plant.bare('input image')}"}]},
        {"type": "function_call", "name": plant.text("item"), "arguments": plant.text("item arguments")},
        {"type": "function_call_output", "output": plant.text("item output")},
        {"type": "mcp_call", "server_label": plant.text("label"), "name": "n",
         "output": plant.text("answered"), "arguments": plant.text("asked"),
         "error": plant.text("item error")},
        {"type": "mcp_list_tools", "authorization": plant.bare("item authorization"), "tools": [
            {"name": "n", "description": plant.text("listed"),
             "headers": {"h": plant.bare("listed headers")}}]},
        {"type": "openapi_call", "arguments": plant.text("openapi"), "api_key": plant.bare("item key"),
         "status": plant.text("item status")},
        {"type": "file_search_call", "queries": [plant.text("query")], "results": [
            {"file_id": "file-1", "filename": plant.text("found name"), "text": plant.text("found text")}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": plant.text("reasoning")}]},
    ]  # fmt: skip
    bodies = [{"id": f"item_{number}", "status": "completed", **item} for number, item in enumerate(items)]
    return [Made("assistant", "", [agent]), Made("message", "thread_1", bodies)]
