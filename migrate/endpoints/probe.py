"""Asks each route for one row and says what that means: works, gone, denied or failed.

A 404 alone means unknown id, wrong API version or retired route; only a sibling that answers tells which.
What a retired Azure route answers is documented nowhere, so no single body is expected.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from migrate.endpoints.http.deadlines import PROBE_TIMEOUT_S
from migrate.endpoints.http.retry import Channel, unreachable_error
from migrate.endpoints.interface import Probe, RouteState
from migrate.endpoints.routes import ASSISTANTS_ROUTES, BETA_HEADERS, Route, Routes
from migrate.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    RequestFailed,
    ServiceUnreachable,
    SignInFailed,
)

PROBED_KINDS = ("assistant", "file", "vector_store", "thread")
# Attempts at a service that does not answer at all: an address may simply be wrong.
PROBE_ATTEMPTS_WITHOUT_ANSWER = 3


@dataclass(frozen=True)
class RouteAnswer:
    """What one route said: its state, and in words."""

    state: RouteState
    reason: str = ""
    status: int = 200


def probe_route(channel: Channel, kind: str, route: Route | None = None) -> RouteAnswer:
    """One row of a kind's listing."""
    route = route or ASSISTANTS_ROUTES[kind]
    headers = {**channel.headers, **BETA_HEADERS} if route.beta else channel.headers
    asked = replace(
        channel,
        headers=headers,
        attempts_without_answer=PROBE_ATTEMPTS_WITHOUT_ANSWER,
        answer_timeout_s=PROBE_TIMEOUT_S,
    )
    try:
        try:
            asked.get(route.path, {"limit": 1})
        except RequestFailed as failed:
            if failed.status != 400 or not route.may_be_unpaged:
                raise
            asked.get(route.path)
    except NotFound as failed:
        return RouteAnswer("gone", str(failed), failed.status)
    except AccessDenied as failed:
        return RouteAnswer("denied", str(failed), failed.status)
    except InvalidResponse:
        return RouteAnswer("works")  # it answers; what cannot be read is for the listing to name
    except RequestFailed as failed:
        return RouteAnswer("failed", str(failed), failed.status)
    return RouteAnswer("works")


def probe_routes(
    channel: Channel, url: str, routes: Routes = ASSISTANTS_ROUTES, project: Channel | None = None
) -> dict[str, RouteAnswer]:
    """What each kind's route says. Raises `ServiceUnreachable` or `SignInFailed` when nothing answers."""

    def asked(kind: str) -> RouteAnswer:
        route = routes[kind]
        return probe_route((project or channel) if route.project_api else channel, kind, route)

    first, *others = PROBED_KINDS
    found = {first: asked(first)}  # alone: it signs in, and tells whether anybody is there
    if found[first].state == "failed" and found[first].status == 0:
        raise unreachable_error(url, RequestFailed(found[first].reason))
    with ThreadPoolExecutor(len(others)) as pool:
        try:
            found.update(zip(others, pool.map(asked, others), strict=True))
        except BaseException:  # Ctrl-C: what is under way may end, nothing is tried again
            channel.limiter.stop.set()
            raise
    settled = [answer for kind, answer in found.items() if kind != "thread"]
    if settled and all(answer.state in ("denied", "failed") for answer in settled):
        raise unreadable_error(url, next((a for a in settled if a.state == "denied"), settled[0]))
    return found


def probe_result(found: dict[str, RouteAnswer], api_version: str = "", notes: tuple[str, ...] = ()) -> Probe:
    """A survey as it is told."""
    return Probe(
        {kind: answer.state for kind, answer in found.items()},
        {kind: answer.reason for kind, answer in found.items() if answer.reason},
        api_version,
        notes,
    )


def check_any_route_known(found: dict[str, RouteAnswer], url: str, what: str, todo: str) -> None:
    """Raises `ServiceUnreachable` where every route is unknown: then the address is wrong, nothing is
    retired."""
    if all(answer.state == "gone" for answer in found.values()):
        raise ServiceUnreachable(f"{url} has neither {what} nor files", found["assistant"].reason, todo)


def unreadable_error(url: str, answer: RouteAnswer) -> ServiceUnreachable:
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
