"""Find out what an ESTATE argument names: a live service, a snapshot in an archive, or a config directory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrate.archive.database import Archive, translate_damage
from migrate.archive.id_map import Side
from migrate.archive.snapshots.named import LATEST_SNAPSHOT, find_snapshot_named
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots, newest_unfiltered
from migrate.cli import print_message
from migrate.cli.config import SIGN_IN, Config, EstateConfig, credential, extra_headers
from migrate.endpoints.addresses import check_estate_url
from migrate.endpoints.settings import INVISIBLE_CHARACTERS, Settings, service_of_url
from migrate.errors import BadUsage, OperationRefused
from migrate.files.text import ids_of_lines, read_standard_input, read_text
from migrate.model.results.archive import SnapshotInfo

THREAD_FILE_ADVICE = "write one thread id per line, as UTF-8; # begins a comment"

# A name with this ending means an archive, also if there is no such file.
ARCHIVE_SUFFIX = ".db"


@dataclass(frozen=True)
class LiveEstate:
    """A service, as configured. `argument`: the ESTATE argument that names it, never a secret."""

    settings: Settings
    threads_file: Path | None = None
    argument: str = ""

    @property
    def side(self) -> Side:
        """Where it is."""
        return Side(self.settings.type, self.settings.url)


@dataclass(frozen=True)
class ArchivedEstate:
    """A snapshot in an archive. `which`: number, tag or `latest`, the newest that was not filtered. `named`:
    the user gave it with an @."""

    path: Path
    which: str
    named: bool = True


@dataclass(frozen=True)
class ConfigDirectory:
    """A config directory. `environment`: given by the user. `other_side`: name of the estate on the other
    side, whose environment is used if the user gave none."""

    path: Path
    environment: str = ""
    other_side: str = ""


def resolve_estate(
    text: str, config: Config, workers: int = 8
) -> LiveEstate | ArchivedEstate | ConfigDirectory:
    """What an ESTATE argument names. Raises `BadUsage`."""
    entry = configured_service(text, config)
    if entry is not None:
        return _live(text, entry, config, workers)
    if Path(text).is_dir():
        return ConfigDirectory(Path(text), config.environment, config.other_side)
    path, _, which = text.rpartition("@")
    named = not Path(text).is_file() and bool(path)
    if not named:
        path, which = text, LATEST_SNAPSHOT
    if Path(path).is_file():
        return ArchivedEstate(Path(path), which, named)
    if Path(path).suffix == ARCHIVE_SUFFIX:
        raise BadUsage(
            f"there is no archive {path}",
            f"a name that ends in {ARCHIVE_SUFFIX} is the file of an archive, and there is no such file",
            f"give the path of one, or create it: snapshot ESTATE -o {path}",
        )
    known = ", ".join(config.estates) or "none"
    raise BadUsage(
        f"{text!r} is not an estate",
        f"it is no file or directory here, no address, and no estate of the config file (known: {known})",
        "give a name, an address, TYPE+URL, FILE.db[@SNAPSHOT], or a config directory",
    )


def configured_service(text: str, config: Config) -> EstateConfig | None:
    """The live service that an argument names, or None. Does not look for secrets."""
    if text in config.estates:
        return config.estates[text]
    type_, plus, url = text.partition("+")
    if plus and type_ in SIGN_IN:
        check_estate_url(url)
        return EstateConfig(type=type_, endpoint=url)  # type: ignore[arg-type]
    if "://" in text:
        return EstateConfig(type=service_of_url(text), endpoint=text)  # type: ignore[arg-type]
    return None


def live_estate(text: str, config: Config, workers: int = 8) -> LiveEstate:
    """The service that an ESTATE argument names. Raises `BadUsage` for archives and directories."""
    estate = resolve_estate(text, config, workers)
    if isinstance(estate, ArchivedEstate):
        raise BadUsage(f"{text} is an archive", "this command needs a live service")
    if isinstance(estate, ConfigDirectory):
        raise BadUsage(
            f"{text} is a config directory",
            "this command needs a live service",
            "it can be the SOURCE of plan and assess, and a side of diff; git keeps its history",
        )
    return estate


def _live(argument: str, entry: EstateConfig, config: Config, workers: int) -> LiveEstate:
    name = argument if argument in config.estates else ""
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
    return LiveEstate(settings, threads, argument)


def archives_of(texts: Iterable[str], config: Config, journal: Path | None) -> list[Path]:
    """The archives among ESTATE arguments, then the one given for its journal: the last one has
    precedence."""
    estates = [resolve_estate(text, config) for text in texts]
    paths = [estate.path for estate in estates if isinstance(estate, ArchivedEstate)]
    return list(dict.fromkeys([*paths, *([journal] if journal else [])]))


@contextmanager
def open_archived(estate: ArchivedEstate) -> Iterator[SnapshotReader]:
    """A reader of one snapshot of an archive."""
    with Archive.open(estate.path) as archive, translate_damage(estate.path):
        yield SnapshotReader(archive.conn, _find_snapshot(archive, estate))


@contextmanager
def archived_snapshot(text: str, config: Config) -> Iterator[SnapshotReader]:
    """A reader of the snapshot that an ARCHIVE[@SNAPSHOT] argument names. Raises `BadUsage`."""
    with open_archived(archived_estate(text, config)) as snapshot:
        yield snapshot


def archived_estate(text: str, config: Config) -> ArchivedEstate:
    """What an ARCHIVE[@SNAPSHOT] argument names. Raises `BadUsage` for services and directories."""
    estate = resolve_estate(text, config)
    why = "this command answers from an archive"
    if isinstance(estate, ConfigDirectory):
        raise BadUsage(
            f"{text} is a config directory", why, "read its files as they are, or compare it: diff"
        )
    if isinstance(estate, LiveEstate):
        raise BadUsage(f"{text} is a live estate", why, "take a snapshot first")
    return estate


def _find_snapshot(archive: Archive, estate: ArchivedEstate) -> SnapshotInfo:
    """The snapshot that a number, a tag or `latest` means. Raises `BadUsage`."""
    info = find_snapshot_named(archive.conn, estate.path, estate.which)
    if estate.which == LATEST_SNAPSHOT:
        _note_filtered(estate, info)
    return info


def _note_filtered(estate: ArchivedEstate, info: SnapshotInfo) -> None:
    """Warn that a snapshot, which the user did not choose by number or tag, has only a part of its estate."""
    if info.is_filtered:
        print_message(f"note: {estate.path} has only filtered snapshots of {info.url}; {info.id} is used")


def snapshot_to_move(estate: ArchivedEstate, target: Side, strict: bool = True) -> ArchivedEstate:
    """The snapshot to move to a live target. Without an @ that is the newest snapshot of another estate.

    Raises `BadUsage` if there are several other estates. Raises `OperationRefused`, if `strict`, when every
    snapshot was taken from the target itself.
    """
    if estate.named:
        return estate
    with Archive.open(estate.path) as archive, translate_damage(estate.path):
        snapshots = list_snapshots(archive.conn)
    by_estate: dict[tuple[str, str], list[SnapshotInfo]] = {}
    for info in snapshots:
        if (info.type, info.url) != (target.type, target.url):
            by_estate.setdefault((info.type, info.url), []).append(info)
    newest = {side: newest_unfiltered(infos) for side, infos in by_estate.items()}
    if len(newest) > 1:
        rows = ", ".join(f"{info.id} of {info.type} {info.url}" for info in newest.values())
        raise BadUsage(
            f"{estate.path} has snapshots of {len(newest)} estates",
            f"the newest of each: {rows}",
            f"name the one that is meant: {estate.path}@NUMBER",
        )
    if newest:
        (info,) = newest.values()
        _note_filtered(estate, info)
        return ArchivedEstate(estate.path, str(info.id))
    if snapshots and strict:
        raise OperationRefused(
            f"every snapshot in {estate.path} was taken from {target.url} itself",
            "what is planned onto its own origin sets back what changed since",
            f"to put back what is gone, name the snapshot: {estate.path}@{snapshots[-1].id}",
        )
    return estate


def thread_ids(option: str | None, estate: LiveEstate) -> tuple[str, ...]:
    """Thread ids from a file or standard input, and from the config, in order, each once."""
    texts: list[str] = []
    if option == "-":
        texts.append(read_standard_input(THREAD_FILE_ADVICE))
    elif option and option not in ("auto", "none"):
        texts.append(read_text(Path(option), THREAD_FILE_ADVICE))
    if estate.threads_file and option != "none":
        texts.append(read_text(estate.threads_file, THREAD_FILE_ADVICE))
    return tuple(dict.fromkeys(id_ for text in texts for id_ in ids_of_lines(text)))
