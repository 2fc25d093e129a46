"""Request one row from each route and classify the answer: works, gone, denied or failed.

A 404 alone can mean an unknown id, a wrong API version or a retired route. It means a retired route only
if another route of the same service answers; `Probe.retired` in `interface.py` decides that. The answer of a
retired Azure route is not documented, so its body is not checked.
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
# Fewer attempts than for other requests: where nothing answers, the address may simply be wrong.
PROBE_ATTEMPTS_WITHOUT_ANSWER = 3


@dataclass(frozen=True)
class RouteAnswer:
    """The answer of one route: its state, the reason as text, and the HTTP status (0: no answer)."""

    state: RouteState
    reason: str = ""
    status: int = 200


def probe_route(channel: Channel, kind: str, route: Route | None = None) -> RouteAnswer:
    """Request one row of a kind's listing."""
    route = route or ASSISTANTS_ROUTES[kind]
    headers = {**channel.headers, **BETA_HEADERS} if route.beta else channel.headers
    probe_channel = replace(
        channel,
        headers=headers,
        attempts_without_answer=PROBE_ATTEMPTS_WITHOUT_ANSWER,
        answer_timeout_s=PROBE_TIMEOUT_S,
    )
    try:
        try:
            probe_channel.get(route.path, {"limit": 1})
        except RequestFailed as failed:
            if failed.status != 400 or not route.may_be_unpaged:
                raise
            probe_channel.get(route.path)
    except NotFound as failed:
        return RouteAnswer("gone", str(failed), failed.status)
    except AccessDenied as failed:
        return RouteAnswer("denied", str(failed), failed.status)
    except InvalidResponse:
        return RouteAnswer("works")  # it answers; the listing reports what cannot be read
    except RequestFailed as failed:
        return RouteAnswer("failed", str(failed), failed.status)
    return RouteAnswer("works")


def probe_routes(
    channel: Channel, url: str, routes: Routes = ASSISTANTS_ROUTES, project: Channel | None = None
) -> dict[str, RouteAnswer]:
    """The answer of each kind's route. Raises `ServiceUnreachable` or `SignInFailed` if no route can be
    read."""

    def probe_kind(kind: str) -> RouteAnswer:
        route = routes[kind]
        return probe_route((project or channel) if route.project_api else channel, kind, route)

    first, *others = PROBED_KINDS
    # The first request is sent alone: it signs in, and shows whether the service can be reached.
    answers = {first: probe_kind(first)}
    if answers[first].state == "failed" and answers[first].status == 0:
        raise unreachable_error(url, RequestFailed(answers[first].reason))
    with ThreadPoolExecutor(len(others)) as pool:
        try:
            answers.update(zip(others, pool.map(probe_kind, others), strict=True))
        except BaseException:  # Ctrl-C: requests that were sent may finish, none is repeated
            channel.limiter.stop.set()
            raise
    documented = [answer for kind, answer in answers.items() if kind != "thread"]
    if documented and all(answer.state in ("denied", "failed") for answer in documented):
        raise unreadable_error(url, next((a for a in documented if a.state == "denied"), documented[0]))
    return answers


def probe_result(
    answers: dict[str, RouteAnswer], api_version: str = "", notes: tuple[str, ...] = ()
) -> Probe:
    """The answers of all routes as one `Probe`."""
    return Probe(
        {kind: answer.state for kind, answer in answers.items()},
        {kind: answer.reason for kind, answer in answers.items() if answer.reason},
        api_version,
        notes,
    )


def check_any_route_known(answers: dict[str, RouteAnswer], url: str, kinds: str, todo: str) -> None:
    """Raise `ServiceUnreachable` if the service knows none of the routes: then the address is wrong, and
    nothing is retired. `kinds`: the objects that the service should have, in words."""
    if all(answer.state == "gone" for answer in answers.values()):
        raise ServiceUnreachable(f"{url} has neither {kinds} nor files", answers["assistant"].reason, todo)


def unreadable_error(url: str, answer: RouteAnswer) -> ServiceUnreachable:
    """The error for a service that answers, but shows nothing; with the reason that the service gave. Only
    401 and 403 are about credentials."""
    if answer.state != "denied":
        return ServiceUnreachable(
            f"{url} did not answer any request successfully",
            answer.reason,
            "read the reason; check the address, type and api_version, and try again (docs/network.md)",
        )
    return SignInFailed(
        f"{url} denies access",
        answer.reason,
        "check the key, token or header (key_env, token_env, headers_env), and on Azure the role: "
        "Cognitive Services OpenAI Contributor can read assistants, OpenAI User cannot; in a Foundry project "
        "it is Foundry User",
    )
