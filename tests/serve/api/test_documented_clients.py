"""The examples of docs/api.md, unchanged, with a served archive."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.serve.api.archives import Made, MadeSnapshot, make_archive, messages, named
from tests.serve.api.serving import KEY, serving_api

PAGE = (Path(__file__).parents[3] / "docs/api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
PROJECT = "https://acme.services.ai.azure.com/api/projects/garden"
PRINTED = (
    "user Nummer 0\nuser Nummer 1\n",
    "['of OpenAI']\n",
    "['a classic one']\n",
    "['desk']\n['message']\n",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    agent = {"object": "agent", "id": "desk", "name": "desk", "versions": {"latest": {"version": "1"}}}
    return make_archive(
        tmp_path_factory.mktemp("documented") / "a.db",
        MadeSnapshot(
            [Made("thread", "", named("thread_abc123")), Made("message", "thread_abc123", messages(2))]
        ),
        MadeSnapshot(
            [Made("assistant", "", named("asst_1", name="of OpenAI"))],
            "openai",
            "https://api.openai.com/v1",
            "",
        ),
        MadeSnapshot(
            [Made("assistant", "", named("asst_2", name="a classic one"))], "foundry-classic", PROJECT, "v1"
        ),
        MadeSnapshot(
            [
                Made("assistant", "", [agent]),
                Made("thread", "", named("conv_abc123")),
                Made("message", "conv_abc123", named("item", type="message", role="user", content=[])),
            ],
            "foundry",
            PROJECT,
            "v1",
        ),
    )


@pytest.mark.parametrize("number", range(len(PRINTED)))
def test_an_example_prints_what_the_archive_has(
    archive: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(BLOCKS) == len(PRINTED)
    monkeypatch.setenv("ARCHIVE_KEY", KEY)
    with serving_api(archive) as api:
        assert "http://127.0.0.1:8002" in BLOCKS[number]
        names: dict[str, object] = {}
        exec(BLOCKS[number].replace("http://127.0.0.1:8002", api.url), names)
        for client in (names.get("client"), names.get("project")):
            if client is not None:
                client.close()  # type: ignore[attr-defined]
    assert capsys.readouterr().out == PRINTED[number]
