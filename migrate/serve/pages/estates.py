"""The start, and the choice among estates and snapshots."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from migrate.serve.addresses import PageLinks
from migrate.serve.connections import ArchiveAccess
from migrate.serve.html_answers import page
from migrate.serve.page_request import redirect


def home_page(access: ArchiveAccess, request: Request) -> Response:
    """The snapshot that the user gave, or that of the only estate; else the choice among estates."""
    estates = access.estates()
    if access.chosen is not None:
        return redirect(PageLinks(access.chosen).overview())
    if len(estates) == 1:
        return redirect(PageLinks(estates[0].shown.id).overview())
    return snapshots_page(access, request)


def snapshots_page(access: ArchiveAccess, _: Request) -> Response:
    """Every estate with its snapshots."""
    estates = access.estates()
    return page(
        "snapshots.html.j2",
        estates=estates,
        archive=access.path.name,
        size=access.size_bytes(),
        links_of=PageLinks,
    )
