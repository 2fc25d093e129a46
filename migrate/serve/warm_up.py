"""Do what is done once, before the first visitor waits for it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from importlib import import_module

from migrate.errors import MigrateError
from migrate.serve.connections import ArchiveAccess
from migrate.serve.html_answers import compile_templates
from migrate.serve.pages.overview import remembered_overview

# Libraries that are imported where they are first used, and take a while.
SLOW_LIBRARIES = ("deepdiff",)
# Seconds that the end waits for what has begun.
END_S = 5.0


@contextlib.contextmanager
def warm_up_in_background(access: ArchiveAccess) -> Iterator[None]:
    """Do it in a thread of its own. The end waits for the step that has begun: a thread that imports a
    library or reads the archive while the interpreter ends made it crash, or left files behind."""
    end = threading.Event()
    thread = threading.Thread(target=warm_up, args=(access, end), name="warm-up", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(END_S)


def warm_up(access: ArchiveAccess, end: threading.Event) -> None:
    """Load templates and libraries, and read the overview of each estate, until `end` is set. An archive that
    cannot be read is reported by the page that shows it."""
    compile_templates()
    for name in SLOW_LIBRARIES:
        if not end.is_set():
            import_module(name)
    with contextlib.suppress(MigrateError):
        for estate in access.estates():
            if end.is_set():
                return
            with access.reader(estate.shown.id) as snapshot:
                remembered_overview(access, snapshot)
