"""Rows of the listing of agents in, the same with what only an agent's own address tells out.

A listing shows an agent around its newest version; which version is served, and whether the agent is on,
stands in the answer to GET (recorded 2026-04 and 2026-06). The definition of a version that is served and is
not the newest is put beside the newest, under its number.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from migrate.endpoints.addresses import segment
from migrate.endpoints.interface import Body
from migrate.errors import RequestFailed
from migrate.model.served_version import newest, others_served

AT_ONCE = 8
"""Agents asked for side by side; the pace of the endpoint holds for them too."""
TELLS = "agent_endpoint"
"""The key whose absence says that a row does not tell."""

Ask = Callable[[str], Body]


def with_details(rows: list[Body], ask: Ask) -> list[Body]:
    """The agents as they are read one by one, in the order of the rows. `ask` gets a path."""
    if not rows:
        return rows
    with ThreadPoolExecutor(min(AT_ONCE, len(rows))) as pool:
        return list(pool.map(lambda row: _detailed(row, ask), rows))


def _detailed(row: Body, ask: Ask) -> Body:
    name = row.get("name") or row.get("id")
    if not isinstance(name, str) or not name:
        return row
    found = row if TELLS in row else _asked(ask, row, name)
    versions = found.get("versions")
    if not isinstance(versions, dict):
        return found
    for number in others_served(found):
        version = _asked(ask, {}, name, number)
        if version:
            versions = {**versions, number: version}
    return {**found, "versions": versions}


def _asked(ask: Ask, otherwise: Body, name: str, number: str = "") -> Body:
    """The agent, or one version of it, as its own address tells it; `otherwise` where that is not what was
    asked for: a listing is not lost because one row says no more."""
    try:
        path = f"/agents/{segment(name)}"
        answer = ask(f"{path}/versions/{segment(number)}" if number else path)
    except RequestFailed:
        return otherwise
    if number:
        return answer if str(answer.get("version")) == number else otherwise
    same = newest(answer) != "" and answer.get("id") == otherwise.get("id")
    return answer if same else otherwise
