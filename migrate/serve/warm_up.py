"""Do what is done once, before the first visitor waits for it."""

from __future__ import annotations

import contextlib
from importlib import import_module

from migrate.errors import MigrateError
from migrate.serve.connections import ArchiveAccess
from migrate.serve.html_answers import compile_templates
from migrate.serve.pages.overview import remembered_overview

# Libraries that are imported where they are first used, and take a while.
SLOW_LIBRARIES = ("deepdiff",)


def warm_up(access: ArchiveAccess) -> None:
    """Load templates and libraries, and read the overview of each estate. An archive that cannot be read is
    reported by the page that shows it."""
    compile_templates()
    for name in SLOW_LIBRARIES:
        import_module(name)
    with contextlib.suppress(MigrateError):
        for estate in access.estates():
            with access.reader(estate.shown.id) as snapshot:
                remembered_overview(access, snapshot)
