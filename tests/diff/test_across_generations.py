"""Assistants of the older generation compared with agents of the newer one: equal content is equal, and every
single change is reported at its path. The agents' form is written by hand here, as recorded."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.stages.diff.run import diff
from tests.diff.generated_estates import ELSEWHERE, HERE, STEADY_TOOL, Body, Generated, archive_estate
from tests.strategies import few

steady = few(3)

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=30)
assistants = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[A-Za-z][a-z]{2,8}( [a-z]{2,5})?", fullmatch=True),
        "model": st.sampled_from(["gpt-4o", "gpt-4.1"]),
        "instructions": texts,
        "description": texts,
        "temperature": st.sampled_from([None, 0.2, 1.0, 1.5]),
        "top_p": st.sampled_from([None, 0.5, 1]),
        "metadata": st.dictionaries(st.sampled_from(["team", "room", "owner"]), texts, max_size=3),
        "searches": st.booleans(),
        "codes": st.booleans(),
        "schema": st.booleans(),
    }
)
SCHEMA = {"name": "answer", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}


def older(given: Body) -> Body:
    """GET /assistants/{id}."""
    resources: Body = {}
    tools: list[Any] = [copy.deepcopy(STEADY_TOOL)]
    if given["searches"]:
        tools.append({"type": "file_search", "file_search": {"max_num_results": 7}})
        resources["file_search"] = {"vector_store_ids": ["vs_1"]}
    if given["codes"]:
        tools.append({"type": "code_interpreter"})
        resources["code_interpreter"] = {"file_ids": ["file-a"]}
    plain = {k: v for k, v in given.items() if k not in ("searches", "codes", "schema")}
    schema = {"type": "json_schema", "json_schema": {**SCHEMA, "strict": True}}
    return {
        **plain, "id": "asst_1", "object": "assistant", "created_at": 1, "tools": tools,
        "tool_resources": resources, "response_format": schema if given["schema"] else "auto",
    }  # fmt: skip


def newer(given: Body) -> Body:
    """GET /agents/{name}: flat tools with their resources, the response format under `text`."""
    definition: Body = {"kind": "prompt", "model": given["model"], "instructions": given["instructions"]}
    for key in ("temperature", "top_p"):
        if given[key] is not None:
            definition[key] = given[key]
    tools: list[Any] = [{"type": "function", "strict": False, **copy.deepcopy(STEADY_TOOL["function"])}]
    if given["codes"]:
        tools.append({"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["new-a"]}})
    if given["searches"]:
        tools.append({"type": "file_search", "vector_store_ids": ["vs_9"], "max_num_results": 7})
    definition["tools"] = tools
    if given["schema"]:
        definition["text"] = {"format": {"type": "json_schema", **copy.deepcopy(SCHEMA), "strict": True}}
    name = given["name"].replace(" ", "-")
    version = {
        "object": "agent.version", "id": f"{name}:1", "name": name, "version": "1", "created_at": 2,
        "description": given["description"], "metadata": given["metadata"], "definition": definition,
    }  # fmt: skip
    return {"object": "agent", "id": name, "name": name, "versions": {"latest": version}}


def estate(assistant: Body, ending: tuple[str, str]) -> Generated:
    """One assistant, one store, one file."""
    file = {"id": ending[0], "filename": "a.txt", "bytes": 3, "purpose": "assistants", "created_at": 1}
    tops: dict[str, list[Body]] = {
        "file": [file],
        "vector_store": [{"id": ending[1], "name": "papers", "status": "completed"}],
        "assistant": [assistant],
        "thread": [],
    }
    within = {ending[1]: [{"id": ending[0], "file_id": ending[0], "status": "completed"}]}
    return Generated({**{kind: {"": rows} for kind, rows in tops.items()}, "vector_store_file": within})


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive.temporary() as opened:
        yield opened


def reported_changes(archive: Archive, left: Body, right: Body) -> set[str]:
    one = archive_estate(archive, estate(left, ("file-a", "vs_1")), HERE)
    other = archive_estate(archive, estate(right, ("new-a", "vs_9")), ELSEWHERE, "foundry")
    found = diff(one, other)
    assert not found.unread
    assert {change.action for change in found.changes} <= {"changed"}
    assert all(change.guessed for change in found.changes)
    return {f"{change.kind} {path.path}" for change in found.changes for path in change.paths}


@steady
@given(given_=assistants)
def test_equal_content_in_both_generations_has_no_differences(archive: Archive, given_: Body) -> None:
    assert reported_changes(archive, older(given_), newer(given_)) == set()


def _in(*keys: Any, to: Any) -> Callable[[Body], None]:
    def change(agent: Body) -> None:
        place: Any = agent["versions"]["latest"]
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to

    return change


def _drop(agent: Body) -> None:
    del agent["versions"]["latest"]["definition"]["tools"][0]


def _more(agent: Body) -> None:
    agent["versions"]["latest"]["definition"]["tools"].append({"type": "web_search"})


PROPERTY = "function:steady].function.parameters.properties.amount.minimum"
CHANGES = {
    "instructions": _in("definition", "instructions", to="\x00 quite other"),
    "model": _in("definition", "model", to="gpt-none"),
    "temperature": _in("definition", "temperature", to=0.75),
    "top_p": _in("definition", "top_p", to=0.75),
    "description": _in("description", to="\x00 quite other"),
    "metadata.mutant": _in("metadata", to={"mutant": "x"}),
    "reasoning_effort": _in("definition", "reasoning", to={"effort": "low"}),
    "tools[function:steady].function.strict": _in("definition", "tools", 0, "strict", to=True),
    f"tools[{PROPERTY}": _in("definition", "tools", 0, "parameters", "properties", "amount", "minimum", to=2),
    "tools[function:steady]": _drop,
    "tools[web_search]": _more,
    "definition.tool_choice": _in("definition", "tool_choice", to="none"),
}


@pytest.mark.parametrize("path", CHANGES)
@steady
@given(given_=assistants)
def test_a_change_of_the_agent_is_reported_at_the_path_of_the_assistant(
    archive: Archive, path: str, given_: Body
) -> None:
    agent = newer({**given_, "metadata": {}})
    CHANGES[path](agent)
    assert reported_changes(archive, older({**given_, "metadata": {}}), agent) == {f"assistant {path}"}
