"""The application: pages and the API over one archive."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from migrate.serve.api import api_error, api_routes
from migrate.serve.comparisons import Comparisons
from migrate.serve.connections import WORKER_THREADS, ArchiveAccess
from migrate.serve.gate import RequestGate, is_api_path
from migrate.serve.html_answers import message_page, static_files
from migrate.serve.key_guard import KeyGuard
from migrate.serve.page_request import archive_endpoint, snapshot_endpoint
from migrate.serve.pages.assistants import assistant_page, assistants_page
from migrate.serve.pages.compare import compare_endpoint
from migrate.serve.pages.estates import home_page, snapshots_page
from migrate.serve.pages.files import file_content_page, file_page, files_page
from migrate.serve.pages.jump import jump_page
from migrate.serve.pages.overview import overview_page
from migrate.serve.pages.search import search_page
from migrate.serve.pages.thread import message_body_page, thread_page
from migrate.serve.pages.threads import threads_page
from migrate.serve.pages.vector_stores import vector_store_page, vector_stores_page
from migrate.serve.settings import ServeSettings
from migrate.serve.work_budget import TurnTaker, WorkBudget

# Path below a snapshot -> its page.
SNAPSHOT_PAGES = {
    "/": overview_page,
    "/threads": threads_page,
    "/threads/{id}": thread_page,
    "/threads/{id}/messages/{message}": message_body_page,
    "/search": search_page,
    "/assistants": assistants_page,
    "/assistants/{id}": assistant_page,
    "/files": files_page,
    "/files/{id}": file_page,
    "/files/{id}/content": file_content_page,
    "/vector-stores": vector_stores_page,
    "/vector-stores/{id}": vector_store_page,
}
# Path -> a page of the whole archive.
ARCHIVE_PAGES = {
    "/": home_page,
    "/snapshots": snapshots_page,
    "/snapshots/": snapshots_page,
    "/jump": jump_page,
}


def build_app(settings: ServeSettings, access: ArchiveAccess, keys: KeyGuard | None = None) -> Starlette:
    """The application. `access` stays open as long as it runs. `keys`: who decides about keys; by default
    made from the settings."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = WORKER_THREADS
        try:
            yield
        finally:
            comparisons.close()

    keys = keys or KeyGuard(settings.key, settings.wrong_key_delay_s)
    comparisons = Comparisons(access)
    routes: list[BaseRoute] = [
        *api_routes(access, settings.apis),
        *(Route(path, archive_endpoint(access, function)) for path, function in ARCHIVE_PAGES.items()),
        *(
            Route(f"/snapshots/{{snapshot}}{path}", snapshot_endpoint(access, function))
            for path, function in SNAPSHOT_PAGES.items()
        ),
        Route("/compare", archive_endpoint(access, compare_endpoint(comparisons))),
        Route("/static/{name}", _static_file),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(RequestGate, settings=settings, keys=keys),
            Middleware(TurnTaker, budget=WorkBudget()),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _static_file(request: Request) -> Response:
    found = static_files().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return Response(found[0], media_type=found[1])


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if is_api_path(request.scope["path"]):
        return api_error(request.scope, status, "there is no such address")
    return message_page(status, "there is no such page", todo="choose one from the start")
