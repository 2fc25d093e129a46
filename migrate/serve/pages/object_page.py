"""The page of one object: what is shown of any kind that has a page of its own."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from migrate.archive.id_map import Side, new_ids_of
from migrate.serve.page_request import PageRequest
from migrate.serve.pages.object_rows import ShownObject
from migrate.serve.pages.version_timeline import read_timeline
from migrate.stages.query.object_users import find_users


def object_page(
    request: PageRequest, template: str, section: str, shown: ShownObject, **context: Any
) -> Response:
    """The page of the object that the address names: its fields, who uses it, its versions, and its ids on
    targets. `context`: what only its kind has."""
    entity = shown.entity
    source = Side(request.estate.type, request.estate.url)
    new_ids = new_ids_of(request.snapshot.conn, source, entity.kind, "", [entity.id]).get(entity.id, {})
    return request.answer(
        template,
        section,
        shown=shown,
        fields=shown.fields,
        facts=shown.facts,
        users=find_users(request.snapshot, entity.kind, entity.id),
        timeline=read_timeline(request, entity.kind, request.id),
        new_ids=[(f"{side.type} {side.url}", id_) for side, id_ in new_ids.items()],
        **context,
    )
