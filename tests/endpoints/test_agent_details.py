"""Details that only an agent's own address returns are added to its row; no row is lost or replaced."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.endpoints.foundry import agents_with_details
from migrate.errors import NotFound, RequestFailed

Json = dict[str, Any]


def row(name: str = "desk", version: str = "5", **others: Any) -> Json:
    latest = {"version": version, "definition": {"kind": "prompt"}}
    return {"object": "agent", "id": name, "name": name, "versions": {"latest": latest}, **others}


def pinned(number: str) -> Json:
    rule = {"type": "FixedRatio", "agent_version": number, "traffic_percentage": 100}
    return {"agent_endpoint": {"version_selector": {"version_selection_rules": [rule]}}}


class Service:
    def __init__(self, **answers: Json | Exception) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, path: str) -> Json:
        self.asked.append(path)
        answer = self.answers.get(path.removeprefix("/agents/"), NotFound("no such", 404))
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_endpoint_and_the_served_version_are_added() -> None:
    served = {"version": "3", "definition": {"kind": "prompt", "model": "m"}}
    service = Service(**{"desk": row(**pinned("3")), "desk/versions/3": served})
    (found,) = agents_with_details([row()], service)
    assert found["versions"]["3"] == served
    assert found["versions"]["latest"]["version"] == "5"
    assert service.asked == ["/agents/desk", "/agents/desk/versions/3"]


def test_a_row_with_details_is_not_requested_again() -> None:
    service = Service()
    given = row(**pinned("@latest"))
    assert agents_with_details([given], service) == [given]
    assert service.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        RequestFailed("down", 500),
        NotFound("gone", 404),
        {},
        {"error": "x"},
        row("another", **pinned("3")),
        {**row(), "versions": None},
    ],
)
def test_an_answer_that_is_not_this_agent_changes_nothing(answer: Any) -> None:
    service = Service(desk=answer)
    assert agents_with_details([row()], service) == [row()]


@pytest.mark.parametrize("answer", [NotFound("gone", 404), {}, {"version": "2"}])
def test_a_version_that_is_not_there_is_left_out(answer: Any) -> None:
    service = Service(**{"desk": row(**pinned("3")), "desk/versions/3": answer})
    (found,) = agents_with_details([row()], service)
    assert list(found["versions"]) == ["latest"]


@pytest.mark.parametrize(
    "odd", [{"id": "x", "name": 7}, {"id": "x", "name": ""}, {"id": "\ud800"}, {"id": ".."}]
)
def test_odd_rows_stay_as_they_are(odd: Json) -> None:
    assert agents_with_details([odd], Service()) == [odd]


def test_the_order_of_the_rows_stays() -> None:
    rows = [row(f"agent-{n}") for n in range(40)]
    service = Service(**{f"agent-{n}": row(f"agent-{n}", state="enabled") for n in range(40)})
    assert [one["name"] for one in agents_with_details(rows, service)] == [one["name"] for one in rows]
    assert agents_with_details([], service) == []
