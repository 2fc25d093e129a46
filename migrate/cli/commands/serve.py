"""serve: an archive as pages in a browser, and the old API over it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli import print_message
from migrate.cli.estate_argument import ArchivedEstate, archived_snapshot, resolve_estate
from migrate.cli.options import FILE_PATH, Common, common_options
from migrate.cli.streams import write_data
from migrate.errors import BadUsage
from migrate.model.known_secrets import register_secret

if TYPE_CHECKING:
    from migrate.serve.server import ArchiveServer
    from migrate.serve.settings import ServeSettings

API_CHOICES = ("azure", "openai", "foundry")
DEFAULT_PORT = 8002
KEY_BYTES = 32
POLL_S = 1.0


@click.command("serve")
@click.argument("archive")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 is any free port.",
)
@click.option("--open", "opens_browser", is_flag=True, help="Open the pages in a browser.")
@click.option(
    "--key-env",
    metavar="VARIABLE",
    help="Environment variable that contains the key (default: a new random key at each start).",
)
@click.option(
    "--api",
    "apis",
    type=click.Choice(API_CHOICES),
    multiple=True,
    help="Serve only this family of the API; may be repeated (default: all).",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. One that other machines can reach needs --key-env, --allowed-host, "
    "--tls-cert and --tls-key.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="Host name that clients may use, besides localhost; may be repeated.",
)
@click.option("--tls-cert", type=FILE_PATH, metavar="FILE", help="Certificate and its chain, PEM.")
@click.option("--tls-key", type=FILE_PATH, metavar="FILE", help="Private key of the certificate, PEM.")
@common_options
def serve_command(
    common: Common, archive: str, port: int, opens_browser: bool, key_env: str | None, apis: tuple[str, ...],
    host: str, allowed_hosts: tuple[str, ...], tls_cert: Path | None, tls_key: Path | None,
) -> None:  # fmt: skip
    """Open ARCHIVE[@SNAPSHOT] as pages in a browser, and serve the old API over it. Read only.

    Pages: overview, threads as conversations, assistants with their versions, files, vector stores, search,
    comparison of two snapshots. Open the address that is printed; the key in it is also the key of the API.

    The API answers GET requests as the archived service did: docs/api.md.

    Without --host only this machine can reach it. Ctrl-C ends it.

    \b
    Examples:
      assistants-migrate serve estate.db --open
      assistants-migrate serve estate.db@1 --port 8010
      assistants-migrate serve estate.db --key-env ARCHIVE_KEY --api openai
    """
    from migrate.serve.connections import ArchiveAccess
    from migrate.serve.server import ArchiveServer
    from migrate.serve.settings import ServeSettings, check_serve_settings, load_tls
    from migrate.serve.warm_up import warm_up_in_background

    path, snapshot = _archive(archive, common)
    if (tls_cert is None) != (tls_key is None):
        raise BadUsage("--tls-cert and --tls-key belong together", todo="give both")
    settings = ServeSettings(
        archive=path,
        key=_key(key_env),
        snapshot=snapshot,
        host=host,
        port=port,
        key_is_given=key_env is not None,
        allowed_hosts=frozenset(allowed_hosts),
        apis=frozenset(apis or API_CHOICES),
        tls=load_tls(tls_cert, tls_key) if tls_cert and tls_key else None,
    )
    check_serve_settings(settings)
    with ArchiveAccess(path, snapshot) as access, ArchiveServer(settings, access) as server, _end() as end:
        _show_address(common, settings, server, key_env)
        with warm_up_in_background(access):
            if opens_browser:
                _open_browser(server)
            while not end.wait(POLL_S):  # without a time, Ctrl-C would not be seen on Windows
                pass


def _open_browser(server: ArchiveServer) -> None:
    if not webbrowser.open(server.one_time_url()):
        print_message("no browser could be opened: open the address yourself")


def _archive(text: str, common: Common) -> tuple[Path, int | None]:
    """Path of the archive, and the number of the snapshot that was named. Raises `BadUsage`."""
    with archived_snapshot(text, common.config) as snapshot:
        number = snapshot.info.id
    estate = resolve_estate(text, common.config)
    if not isinstance(estate, ArchivedEstate):
        raise BadUsage(f"{text} is not an archive")
    return estate.path, number if estate.named else None


def _key(variable: str | None) -> str:
    if variable is None:
        return secrets.token_urlsafe(KEY_BYTES)
    key = os.environ.get(variable, "")
    if not key:
        raise BadUsage(
            f"the environment variable {variable} of --key-env is not set",
            todo=f"set it: export {variable}=$(python -c 'import secrets; print(secrets.token_urlsafe(32))')",
        )
    register_secret(key)
    return key


def _show_address(
    common: Common, settings: ServeSettings, server: ArchiveServer, key_env: str | None
) -> None:
    """The address with the random key; of a key that was given only where it is from."""
    address = server.url if settings.key_is_given else f"{server.url}?key={settings.key}"
    if common.as_json:
        document = {
            "url": server.url,
            "open": address,
            "key": None if settings.key_is_given else settings.key,
            "key_env": key_env,
            "archive": str(settings.archive),
            "snapshot": settings.snapshot,
            "api": sorted(settings.apis),
        }
        common.end_progress()
        write_data(json.dumps(document, ensure_ascii=True) + "\n")
        return
    lines = [address]
    if settings.key_is_given:
        lines.append(f"The key is the value of {key_env}.")
    if not common.quiet:
        lines.append("The same address and key answer the old API: docs/api.md.")
        lines.append(f"{settings.archive}, read only. Ctrl-C ends it.")
    common.write_result(None, "\n".join(lines))


@contextmanager
def _end() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, and by SIGTERM, with which services are ended."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {
        number: signal.signal(number, lambda *_: event.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
