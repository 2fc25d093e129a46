"""Connects to a server of the test that plays the role of a service of any type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from migrate.endpoints import connect_writer
from migrate.endpoints.assistants import AssistantsWriter
from migrate.endpoints.interface import Writer
from migrate.endpoints.settings import Settings
from tests.endpoints.scripted_server import PROJECT, RecordedRequest, Reply, Server, listing, serving

SECRET = "the-secret-of-this-test-4711"
TYPES = ("azure-openai", "openai", "foundry-classic", "foundry")
PATHS = {"azure-openai": "", "openai": "/v1", "foundry-classic": PROJECT, "foundry": PROJECT}
TOKENS = ("foundry-classic", "foundry")

Answer = Callable[[RecordedRequest], Reply]


def probed(asked: RecordedRequest) -> Reply | None:
    """The answer to a probe: every route works and lists nothing."""
    return Reply(body=listing()) if asked.query.get("limit") == "1" else None


def settings(type_: str, url: str, **others: Any) -> Settings:
    """How a service of a type at an address is reached."""
    given = {"auth": "token" if type_ in TOKENS else "key", "secret": SECRET, "workers": 2, **others}
    return Settings(type_, url, **given)


@contextmanager
def connected(type_: str, answer: Answer, **others: Any) -> Iterator[tuple[Writer, Server]]:
    """A writer after its probe, and the server, which answers all other requests with `answer`."""
    with ExitStack() as stack:
        probing = [True]
        server = stack.enter_context(serving(lambda asked: (probing[0] and probed(asked)) or answer(asked)))
        url = f"{server.origin}{PATHS[type_]}"
        writer = connect_writer(settings(type_, url, **others))
        stack.callback(writer.close)
        writer.probe()
        probing[0] = False
        server.asked.clear()
        yield writer, server


def connected_without_retries(writer: Writer) -> Writer:
    """The same, giving up at the first failure."""
    access = cast("AssistantsWriter", writer).channels
    for channel in (access.assistants, access.files, access.project):
        if channel is not None:
            for name in ("attempts", "attempts_without_answer"):
                assert hasattr(
                    channel, name
                )  # if this attribute was renamed, each failure would be retried after a wait
                object.__setattr__(channel, name, 1)
    return writer
