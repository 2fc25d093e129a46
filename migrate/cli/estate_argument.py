"""An ESTATE argument in, what it means out: a live service, a snapshot in an archive, a config directory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrate.cli.config import SIGN_IN, Config, EstateConfig, credential, extra_headers
from migrate.endpoints.addresses import check_estate_url
from migrate.endpoints.settings import INVISIBLE_CHARACTERS, service_of_host
from migrate.errors import BadUsage, OperationRefused
from migrate.files.text import read_standard_input, read_text

if TYPE_CHECKING:
    from migrate.archive.database import Archive
    from migrate.archive.id_map import Side
    from migrate.archive.snapshots.reader import SnapshotReader
    from migrate.endpoints.settings import Settings
    from migrate.model.results.archive import SnapshotInfo
    from migrate.stages.config_directory.read import DirectoryOptions
    from migrate.stages.estate import Estate
    from migrate.stages.progress import Progress


ONE_ID_A_LINE = "write one id of a thread a line, as UTF-8; # begins a comment"


@dataclass(frozen=True)
class LiveEstate:
    """A service, as configured."""

    settings: Settings
    threads_file: Path | None


@dataclass(frozen=True)
class ArchivedEstate:
    """A snapshot: number, tag, or `latest`. `named`: it was given with an @, `latest` too."""

    path: Path
    which: str
    named: bool = True


@dataclass(frozen=True)
class ConfigDirectory:
    """Files that people review, and which environment of them is meant: the one asked for, or the one
    called like the estate that it is `facing`."""

    path: Path
    environment: str = ""
    facing: str = ""

    @property
    def directory(self) -> DirectoryOptions:
        """As a stage takes it."""
        from migrate.stages.config_directory.read import DirectoryOptions

        return DirectoryOptions(self.path, self.environment, self.facing)


def resolve_estate(
    text: str, config: Config, workers: int = 8
) -> LiveEstate | ArchivedEstate | ConfigDirectory:
    """What an ESTATE argument names. Raises `BadUsage`."""
    entry = service(text, config)
    if entry is not None:
        return _live(text if text in config.estates else "", entry, config, workers)
    if Path(text).is_dir():
        return ConfigDirectory(Path(text), config.environment, config.facing)
    path, _, which = text.rpartition("@")
    named = not Path(text).is_file() and bool(path)
    if not named:
        path, which = text, "latest"
    if Path(path).is_file():
        return ArchivedEstate(Path(path), which, named)
    known = ", ".join(config.estates) or "none"
    raise BadUsage(
        f"{text!r} names no estate",
        f"it is no file or directory here, no address, and no estate of the config file (known: {known})",
        "give a name, an address, TYPE+URL, FILE.db[@SNAPSHOT], or a config directory",
    )


def service(text: str, config: Config) -> EstateConfig | None:
    """The live service that an argument names, if it names one; no secret is looked for."""
    if text in config.estates:
        return config.estates[text]
    type_, plus, url = text.partition("+")
    if plus and type_ in SIGN_IN:
        check_estate_url(url)
        return EstateConfig(type=type_, endpoint=url)  # type: ignore[arg-type]
    if "://" in text:
        check_estate_url(text)
        return EstateConfig(type=_type_of(text), endpoint=text)  # type: ignore[arg-type]
    return None


def live_estate(text: str, config: Config, workers: int = 8) -> LiveEstate:
    """An ESTATE that must be a service."""
    found = resolve_estate(text, config, workers)
    if isinstance(found, ArchivedEstate):
        raise BadUsage(f"{text} is an archive", "this command needs a live service")
    if isinstance(found, ConfigDirectory):
        raise BadUsage(
            f"{text} is a config directory",
            "this command needs a live service",
            "it can be the SOURCE of plan and assess, and a side of diff; git keeps its history",
        )
    return found


def _type_of(url: str) -> str:
    if type_ := service_of_host(urlsplit(url).hostname or ""):
        return type_
    raise BadUsage(
        f"{url} does not tell its type of service",
        "the host is not a known one",
        f"write TYPE+URL: azure-openai+{url}",
    )


def _live(name: str, entry: EstateConfig, config: Config, workers: int) -> LiveEstate:
    from migrate.endpoints.settings import Settings

    url = entry.endpoint.strip(INVISIBLE_CHARACTERS)
    check_estate_url(url, name)
    auth, secret = credential(name, entry)
    threads = Path(config.folder) / entry.threads_file if entry.threads_file else None
    certificates = Path(config.folder) / Path(entry.ca_file).expanduser() if entry.ca_file else ""
    settings = Settings(
        entry.type,
        url.rstrip("/"),
        entry.api_version,
        auth,
        secret,
        entry.tenant,
        workers,
        name,
        headers=extra_headers(name, entry),
        cloud=entry.cloud or "",
        scope=entry.scope,
        ca_file=str(certificates),
    )
    return LiveEstate(settings, threads)


# Type and address of a place -> ids of threads that it should hold.
Known = Callable[[str, str], tuple[str, ...]]


@contextmanager
def opened_estate(
    text: str,
    config: Config,
    workers: int,
    progress: Progress,
    kinds: Collection[str] = (),
    known: Known | None = None,
) -> Iterator[Estate]:
    """Any estate, ready to be compared; a live one is read into a temporary archive first. `kinds` narrows
    what is read of it (empty: all); `known` tells threads to ask for by id where they are not listed."""
    from migrate.endpoints import connect_reader
    from migrate.stages.estate import Estate
    from migrate.stages.filters import ObjectFilter
    from migrate.stages.snapshot.live_estate import lists_threads
    from migrate.stages.snapshot.live_estate import temporary_snapshot as read_live
    from migrate.stages.snapshot.options import SnapshotOptions

    found = resolve_estate(text, config, workers)
    with ExitStack() as stack:
        if isinstance(found, ArchivedEstate):
            yield Estate(stack.enter_context(snapshot_of(found)))
            return
        if isinstance(found, ConfigDirectory):
            yield stack.enter_context(directory_of(found, progress))
            return
        reader = connect_reader(found.settings)
        stack.callback(reader.close)
        ids = thread_ids(None, found)
        if known and (not kinds or "thread" in kinds) and not lists_threads(reader):
            ids = tuple(dict.fromkeys([*ids, *known(reader.type, reader.url)]))
        choice = ObjectFilter.for_kinds(kinds)
        wanted = SnapshotOptions(
            thread_ids=ids, runs=False, bytes=False, object_filter=choice, workers=workers
        )
        estate, _ = stack.enter_context(read_live(reader, wanted, progress))
        yield estate


@contextmanager
def directory_of(found: ConfigDirectory, progress: Progress) -> Iterator[Estate]:
    """A config directory as an estate; which environment of it was taken is said."""
    from migrate.stages.config_directory.read import open_directory as opened_directory

    with opened_directory(found.directory) as (estate, environment):
        say_environment(environment, found, progress)
        yield estate


def archives_of(texts: Iterable[str], config: Config, journal: Path | None) -> list[Path]:
    """The archives among ESTATE arguments, and one that is given for its journal: it knows best, so it comes
    last."""
    found = [
        named.path for text in texts if isinstance(named := resolve_estate(text, config), ArchivedEstate)
    ]
    return list(dict.fromkeys([*found, *([journal] if journal else [])]))


def say_environment(name: str, found: ConfigDirectory, progress: Progress) -> None:
    """Say it where nobody asked for it by name."""
    if name and name != found.environment:
        progress.say(f"{found.path} is read as environment {name!r}, which is called like the other side")


@contextmanager
def snapshot_of(found: ArchivedEstate) -> Iterator[SnapshotReader]:
    """A reader of one snapshot of an archive."""
    from migrate.archive.database import Archive, translate_damage
    from migrate.archive.snapshots.reader import SnapshotReader

    with Archive.open(found.path) as archive, translate_damage(found.path):
        yield SnapshotReader(archive.conn, pick(archive, found))


def pick(archive: Archive, found: ArchivedEstate) -> SnapshotInfo:
    """The snapshot that a number, a tag or `latest` means. Raises `BadUsage`."""
    from migrate.archive.snapshots.reader import list_snapshots

    known = list_snapshots(archive.conn)
    if not known:
        raise BadUsage(
            f"{found.path} holds no snapshot yet", todo=f"take one: snapshot ESTATE -o {found.path}"
        )
    if found.which == "latest":
        return known[-1]
    for info in reversed(known):
        if found.which in (str(info.id), info.tag):
            return info
    names = ", ".join(f"{info.id}{f' ({info.tag})' if info.tag else ''}" for info in known)
    raise BadUsage(
        f"{found.path} has no snapshot {found.which!r}",
        f"it has {names}",
        f"list them: snapshots {found.path}",
    )


def source_of(found: ArchivedEstate, target: Side, strict: bool = True) -> ArchivedEstate:
    """The snapshot that is moved to a live target. Without an @ that is the newest one of another estate.

    Raises `BadUsage` where there are several other estates, and `OperationRefused`, if `strict`, where every
    snapshot was taken from the target itself."""
    from migrate.archive.database import Archive, translate_damage
    from migrate.archive.snapshots.reader import list_snapshots

    if found.named:
        return found
    with Archive.open(found.path) as archive, translate_damage(found.path):
        known = list_snapshots(archive.conn)
    newest = {
        (info.type, info.url): info for info in known if (info.type, info.url) != (target.type, target.url)
    }
    if len(newest) > 1:
        rows = ", ".join(f"{info.id} of {info.type} {info.url}" for info in newest.values())
        raise BadUsage(
            f"{found.path} has snapshots of {len(newest)} estates",
            f"the newest of each: {rows}",
            f"name the one that is meant: {found.path}@NUMBER",
        )
    if newest:
        (info,) = newest.values()
        return ArchivedEstate(found.path, str(info.id))
    if known and strict:
        raise OperationRefused(
            f"every snapshot in {found.path} was taken from {target.url} itself",
            "what is planned onto its own origin sets back what changed since",
            f"to put back what is gone, name the snapshot: {found.path}@{known[-1].id}",
        )
    return found


def thread_ids(option: str | None, found: LiveEstate) -> tuple[str, ...]:
    """Thread ids from a file or standard input, and from the config, in order, each once."""
    texts: list[str] = []
    if option == "-":
        texts.append(read_standard_input(ONE_ID_A_LINE))
    elif option and option not in ("auto", "none"):
        texts.append(read_text(Path(option), ONE_ID_A_LINE))
    if found.threads_file and option != "none":
        texts.append(read_text(found.threads_file, ONE_ID_A_LINE))
    ids = [line.split("#")[0].strip() for text in texts for line in text.splitlines()]
    return tuple(dict.fromkeys(id_ for id_ in ids if id_))


@contextmanager
def archived_snapshot(text: str, config: Config) -> Iterator[SnapshotReader]:
    """A reader of the snapshot. Raises `BadUsage` when the argument is a live estate."""
    from migrate.archive.database import Archive, translate_damage
    from migrate.archive.snapshots.reader import SnapshotReader

    found = resolve_estate(text, config)
    if isinstance(found, ConfigDirectory):
        raise BadUsage(
            f"{text} is a config directory",
            "this command answers from an archive",
            "read its files as they are, or compare it: diff",
        )
    if not isinstance(found, ArchivedEstate):
        raise BadUsage(
            f"{text} is a live estate", "this command answers from an archive", "take a snapshot first"
        )
    with Archive.open(found.path) as archive, translate_damage(found.path):
        yield SnapshotReader(archive.conn, pick(archive, found))
