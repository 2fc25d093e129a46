"""Rows of the listing of agents in, the same with what only an agent's own address tells out.

A listing shows an agent around its newest version; which version is served, and whether the agent is on,
stands in the answer to GET (recorded 2026-04 and 2026-06). The definition of a version that is served and is
not the newest is put beside the newest, under its number.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from migrate.endpoints.interface import Body
from migrate.errors import RequestFailed
from migrate.model.serving import newest, others_served

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
    address = f"/agents/{quote(name, safe='')}"
    found = row if TELLS in row else _asked(address, ask, row)
    versions = found.get("versions")
    if not isinstance(versions, dict):
        return found
    for number in others_served(found):
        version = _asked(f"{address}/versions/{quote(number, safe='')}", ask, {})
        if version:
            versions = {**versions, number: version}
    return {**found, "versions": versions}


def _asked(path: str, ask: Ask, otherwise: Body) -> Body:
    """The answer, if it is an agent or a version; a listing is not lost because one row says no more."""
    try:
        answer = ask(path)
    except RequestFailed:
        return otherwise
    whole = newest(answer) != "" or answer.get("version") is not None
    return answer if whole else otherwise
