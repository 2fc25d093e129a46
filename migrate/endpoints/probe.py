"""Asks each route for one row and says what that means: works, gone, denied or failed.

A 404 alone means unknown id, wrong API version or retired route; only a sibling that answers tells which.
What a retired Azure route answers is documented nowhere, so no single body is expected.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from migrate.endpoints.http.deadlines import PROBE_TIMEOUT_S
from migrate.endpoints.http.retry import Channel, no_answer
from migrate.endpoints.interface import Probe, RouteState
from migrate.endpoints.routes import BETA, ROUTES, Route, Routes
from migrate.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    RequestFailed,
    ServiceUnreachable,
    SignInFailed,
)

PROBED = ("assistant", "file", "vector_store", "thread")
UNANSWERED = 3
"""Attempts at a service that does not answer at all: an address may simply be wrong."""


@dataclass(frozen=True)
class Answer:
    """What one route said: its state, and in words."""

    state: RouteState
    reason: str = ""
    status: int = 200


def ask(channel: Channel, kind: str, route: Route | None = None) -> Answer:
    """One row of a kind's listing."""
    route = route or ROUTES[kind]
    headers = {**channel.headers, **BETA} if route.beta else channel.headers
    asked = replace(channel, headers=headers, unanswered=UNANSWERED, patience_s=PROBE_TIMEOUT_S)
    try:
        try:
            asked.get(route.path, {"limit": 1})
        except RequestFailed as failed:
            if failed.status != 400 or not route.may_be_unpaged:
                raise
            asked.get(route.path)
    except NotFound as failed:
        return Answer("gone", str(failed), failed.status)
    except AccessDenied as failed:
        return Answer("denied", str(failed), failed.status)
    except InvalidResponse:
        return Answer("works")  # it answers; what cannot be read is for the listing to name
    except RequestFailed as failed:
        return Answer("failed", str(failed), failed.status)
    return Answer("works")


def survey(
    channel: Channel, url: str, routes: Routes = ROUTES, project: Channel | None = None
) -> dict[str, Answer]:
    """What each kind's route says. Raises `ServiceUnreachable` or `SignInFailed` when nothing answers."""

    def asked(kind: str) -> Answer:
        route = routes[kind]
        return ask((project or channel) if route.projects else channel, kind, route)

    first, *others = PROBED
    found = {first: asked(first)}  # alone: it signs in, and tells whether anybody is there
    if found[first].state == "failed" and found[first].status == 0:
        raise no_answer(url, RequestFailed(found[first].reason))
    with ThreadPoolExecutor(len(others)) as pool:
        try:
            found.update(zip(others, pool.map(asked, others), strict=True))
        except BaseException:  # Ctrl-C: what is under way may end, nothing is tried again
            channel.pace.stop.set()
            raise
    settled = [answer for kind, answer in found.items() if kind != "thread"]
    if settled and all(answer.state in ("denied", "failed") for answer in settled):
        raise turned_away(url, next((a for a in settled if a.state == "denied"), settled[0]))
    return found


def findings(found: dict[str, Answer], api_version: str = "", notes: tuple[str, ...] = ()) -> Probe:
    """A survey as it is told."""
    return Probe(
        {kind: answer.state for kind, answer in found.items()},
        {kind: answer.reason for kind, answer in found.items() if answer.reason},
        api_version,
        notes,
    )


def must_hold_something(found: dict[str, Answer], url: str, what: str, todo: str) -> None:
    """Raises `ServiceUnreachable` where every route is unknown: then the address is wrong, nothing is
    retired."""
    if all(answer.state == "gone" for answer in found.values()):
        raise ServiceUnreachable(f"{url} has neither {what} nor files", found["assistant"].reason, todo)


def turned_away(url: str, answer: Answer) -> ServiceUnreachable:
    """The error for a service of which nothing can be read, in its own words. Only 401 and 403 are about who
    asks."""
    if answer.state != "denied":
        return ServiceUnreachable(
            f"{url} answers nothing that was asked of it",
            answer.reason,
            "see what it says; check the address, type and api_version, and try again (docs/network.md)",
        )
    return SignInFailed(
        f"{url} does not let us in",
        answer.reason,
        "check the key, token or header (key_env, token_env, headers_env), and on Azure the role: Cognitive "
        "Services OpenAI "
        "Contributor reads assistants, OpenAI User does not; in a Foundry project it is Foundry User",
    )
