"""The box at the top: from an id or a name to the page of the object."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.history import snapshots_with
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.serve.connections import ArchiveAccess
from migrate.serve.page_request import number_in_text, redirect, snapshot_page
from migrate.serve.pages.object_address import object_address
from migrate.stages.query.jump import JumpTarget, find_jump_targets

# Other snapshots that are listed where this one does not have an id.
MAX_OTHERS_NAMED = 10
MAX_JUMP_CHARS = 1_000


def jump_page(access: ArchiveAccess, request: Request) -> Response:
    """To the object that a text means; a list where it may mean several; else where it may be."""
    number = number_in_text(request.query_params.get("snapshot", ""))
    text = request.query_params.get("q", "").strip()[:MAX_JUMP_CHARS]
    with access.reader(number) as snapshot:
        info = snapshot.info
        found = find_jump_targets(snapshot, text)
        if found.is_exact and (address := _address(snapshot, found.targets[0])):
            return redirect(address)
        targets = [(target, _address(snapshot, target)) for target in found.targets]
        others = [] if found.targets or not text else list(snapshots_with(snapshot.conn, storable_text(text)))
    return snapshot_page(
        access,
        access.estate_of(info),
        info,
        "jump.html.j2",
        text=text,
        found=found,
        targets=targets,
        others=others[:MAX_OTHERS_NAMED],
    )


def _address(snapshot: SnapshotReader, target: JumpTarget) -> str:
    return object_address(snapshot, target.kind, target.id, target.parent)
