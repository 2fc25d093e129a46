"""When a service refuses a request, its message is shown with advice that matches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.commands import run
from tests.endpoints.connected_service import PATHS
from tests.endpoints.scripted_server import RecordedRequest, Reply, Server, listing, serving

ENTRY = '[estates.east]\ntype = "{type}"\nendpoint = "{url}"\nauth = "token"\ntoken_env = "EAST_TOKEN"\n'
ENV = {"EAST_TOKEN": "token-of-the-east-4711"}
SIGN_IN = ("check the key", "check the token", "az login", "key_env")
LISTS = {
    "foundry-classic": "/threads",
    "azure-openai": "/threads",
    "openai": "/threads",
    "foundry": "/conversations",
}


def error(status: int, text: str) -> Reply:
    return Reply(status, {"error": {"message": text, "code": "because"}}, {"retry-after-ms": "1"})


Refuse = Callable[[RecordedRequest], bool]


class Place:
    """A folder with a config file, and a service that refuses chosen requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refuses: Refuse = lambda asked: False
        self.reply = error(500, "")
        self.server: Server

    def answer(self, asked: RecordedRequest) -> Reply:
        if self.refuses(asked):
            return self.reply
        return Reply(body={**listing(), "value": []})

    def config(self, type_: str) -> Path:
        file = self.folder / "estates.toml"
        url = f"{self.server.origin}{PATHS[type_]}"
        file.write_text(ENTRY.format(type=type_, url=url), encoding="utf-8")
        return file


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with serving(made.answer) as made.server:
        yield made


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500])
@pytest.mark.parametrize("type_", LISTS)
def test_threads_that_are_not_listed(place: Place, type_: str, status: int) -> None:
    words = f"the reason of the service number {status}"
    place.reply = error(status, words)
    place.refuses = lambda asked: asked.path.endswith(LISTS[type_])
    file = place.config(type_)
    taken = run("snapshot", "east", "-o", str(place.folder / "a.db"), "--json", config=file, env=ENV)
    (gap,) = [gap for gap in taken.json["missing"] if gap["kind"] == "thread"]
    assert words in gap["reason"]
    assert "--threads FILE" in gap["reason"]
    assert not [advice for advice in SIGN_IN if advice in taken.err]
    seen = run("doctor", "east", config=file, env=ENV)
    assert words in seen.out


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("status", [400, 401, 403, 409, 500, 503])
@pytest.mark.parametrize("type_", LISTS)
def test_a_service_that_refuses_everything(place: Place, type_: str, status: int) -> None:
    words = f"the reason of the service number {status}"
    place.reply = error(status, words)
    place.refuses = lambda asked: True
    done = run("doctor", "east", config=place.config(type_), env=ENV)
    told = done.error(5, words)
    assert bool([advice for advice in SIGN_IN if advice in told]) == (status in (401, 403)), told


def test_a_service_that_redirects_everything_is_reported_with_the_host(place: Place) -> None:
    for type_ in LISTS:
        place.reply = Reply(302, headers={"location": "https://login.example/sign-in?to=x"})
        place.refuses = lambda asked: True
        done = run("doctor", "east", config=place.config(type_), env=ENV)
        told = done.error(5, "https://login.example", "nothing was sent there")
        assert not [advice for advice in SIGN_IN if advice in told]


def test_a_file_of_three_bytes_that_never_ends_is_a_named_gap(place: Place) -> None:
    rows = listing("file_1")
    rows["data"][0] |= {"bytes": 3, "filename": "a.txt", "purpose": "assistants"}
    large = Reply(body=b"a" * 5_000_000, headers={"content-type": "text/plain", "content-length": ""})
    for type_ in ("openai", "foundry"):
        original = place.answer
        place.server.answer = lambda asked: (
            large
            if asked.path.endswith("/files/file_1/content")
            else Reply(body=rows)
            if asked.path.endswith("/files")
            else Reply(body={**listing(), "value": []})
        )
        archive = place.folder / f"{type_}.db"
        taken = run("snapshot", "east", "-o", str(archive), "--json", config=place.config(type_), env=ENV)
        (gap,) = taken.ok(3)["missing"]
        assert (gap["kind"], gap["id"]) == ("file", "file_1")
        assert "more bytes came than the 3" in gap["reason"]
        assert len([asked for asked in place.server.asked if asked.path.endswith("/content")]) == 1
        place.server.asked.clear()
        place.server.answer = original
