"""Write a file that the user named with -o or --report, or that a command leaves beside its archive.

A link is resolved and the file behind it is written. A pipe or a device is written to, and never replaced
by a file. A plain file appears whole or not at all: it is written under a random name in the same folder,
which nobody can have prepared, and then takes its place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from migrate.errors import BadUsage, DiskFull

OWNER_ONLY_MODE = (
    0o600  # whatever is written names people's objects; also where an earlier file had other permissions
)
PIPE_READER_TIMEOUT_S = 10.0  # a named pipe that nobody reads would otherwise hang for ever
PIPE_POLL_S = 0.02
MAX_SYMLINKS = 40  # as Linux has it
DISK_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# A name of one of this process's own descriptors. What stands behind it is never replaced by another file:
# the shell that opened it would go on with the old one.
DESCRIPTOR_PATH = re.compile(r"/(?:dev|proc/self|proc/thread-self)/fd/(\d+)")
# What -o and --report take for standard output, as other programs do; a file of this name is `$PWD/-`.
STDOUT_PATH = Path("-")
STANDARD_STREAM_FDS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}


@dataclass(frozen=True)
class Destination:
    """Where bytes go: `path` behind all links, or the descriptor `fd` of this process.

    `is_plain_file`: it is a plain file or none yet, and is put in place at once.
    """

    path: Path
    fd: int | None = None
    is_plain_file: bool = True


def resolve_destination(path: Path) -> Destination:
    """What a path means. Raises `BadUsage` when nothing can be written there; writes nothing."""
    if path == STDOUT_PATH:
        path = Path("/dev/stdout")
    try:
        real, fd = _resolve_links(path)
        if fd is not None:
            os.fstat(fd)
            return Destination(real, fd, is_plain_file=False)
        folder = real.parent.stat()
        if not stat.S_ISDIR(folder.st_mode):
            raise _cannot_write(path, f"{real.parent} is not a folder")
        try:
            status = real.stat()
        except FileNotFoundError:
            return _check_folder(path, Destination(real))
        return _check_existing(path, real, status)
    except FileNotFoundError:
        raise _cannot_write(path, f"there is no folder {real.parent}") from None
    except OSError as error:
        raise _cannot_write(path, error.strerror or str(error)) from None
    except ValueError as error:  # a NUL or half a surrogate pair in the name
        raise _cannot_write(repr(str(path)), f"it is no name of a file: {error}") from None


def _check_existing(path: Path, real: Path, status: os.stat_result) -> Destination:
    kind = status.st_mode
    if stat.S_ISDIR(kind):
        raise _cannot_write(path, "it is a folder, not a file")
    if stat.S_ISBLK(kind) or stat.S_ISSOCK(kind):
        raise _cannot_write(path, "it is a block device" if stat.S_ISBLK(kind) else "it is a socket")
    if not stat.S_ISREG(kind):
        return Destination(real, is_plain_file=False)
    return _check_folder(path, Destination(real))


def _check_folder(path: Path, found: Destination) -> Destination:
    if not os.access(found.path.parent, os.W_OK | os.X_OK):
        raise _cannot_write(path, f"nothing can be written into the folder {found.path.parent}")
    return found


def _resolve_links(path: Path) -> tuple[Path, int | None]:
    """The path with its last part's links followed one by one, or a descriptor where one of them is one."""
    at = path.absolute()
    for _ in range(MAX_SYMLINKS):
        if (fd := _descriptor(at)) is not None:
            return at, fd
        folder = Path(os.path.realpath(at.parent))
        at = Path(os.path.realpath(at)) if at.name in ("", "..") else folder / at.name
        if (fd := _descriptor(at)) is not None:
            return at, fd
        if not at.is_symlink():
            return at, None
        at = folder / at.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _descriptor(path: Path) -> int | None:
    name = str(path).replace(f"/proc/{os.getpid()}/", "/proc/self/")
    if name in STANDARD_STREAM_FDS:
        return STANDARD_STREAM_FDS[name]
    named = DESCRIPTOR_PATH.fullmatch(name)
    return int(named[1]) if named else None


def write_text(path: Path, pieces: Iterable[str], durable: bool = True) -> None:
    """Write text as UTF-8. Half a surrogate pair, which UTF-8 has no form for, is written as an escape."""
    write_bytes(path, (piece.encode("utf-8", "backslashreplace") for piece in pieces), durable)


def write_bytes(path: Path, pieces: Iterable[bytes], durable: bool = True) -> None:
    """Write bytes to what `path` means: see `resolve_destination`. `durable`: wait until the disk has them.

    Raises `BadUsage`, and `DiskFull` when there is no room. Nothing half-written is left in either case.
    """
    found = resolve_destination(path)
    with translate_write_errors(path):
        if found.is_plain_file:
            with atomic_write(found.path, durable=durable) as file:
                file.writelines(pieces)
            return
        handle = _open_stream(path, found)
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)


@contextmanager
def atomic_write(path: Path, mode: int = OWNER_ONLY_MODE, durable: bool = True) -> Iterator[IO[bytes]]:
    """A new file under a random name beside `path`, which takes its place when the block ends without an
    error. A link at `path` itself is replaced, not followed. Raises `OSError`."""
    with temporary_file_beside(path) as (new, handle):
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if mode != OWNER_ONLY_MODE:
                new.chmod(mode)
            if durable:
                os.fsync(file.fileno())
        new.replace(path)
        if durable:
            sync_folder(path.parent)


@contextmanager
def temporary_file_beside(path: Path) -> Iterator[tuple[Path, int]]:
    """An empty file in the folder of `path` that only its owner can read, and a descriptor to write to it,
    which the caller closes. It is gone when the block ends, unless it was renamed. Raises `OSError`."""
    new = path.with_name(f".{secrets.token_hex(8)}.tmp")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(new, flags, OWNER_ONLY_MODE)
    try:
        yield new, handle
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()


def shared_file_mode() -> int:
    """Permissions of a new file that a folder's other users may read, as far as the umask allows."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder. Some file systems cannot do that: then it is left."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def translate_write_errors(path: Path | str) -> Iterator[None]:
    """Raise `BadUsage` or `DiskFull` instead of an `OSError` while `path` is written."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in DISK_FULL_ERRNOS:
            raise DiskFull(f"cannot write {path}", why, "make room, or name a file on another disk") from None
        raise _cannot_write(path, why) from None
    except UnicodeEncodeError as error:
        raise BadUsage(
            f"cannot write {path!a}", describe_unencodable_name(error), "set PYTHONUTF8=1"
        ) from None


def describe_unencodable_name(error: UnicodeEncodeError) -> str:
    """Why a name cannot be that of a file on this system."""
    return f"names of files are in {error.encoding} here, which lacks {error.object[error.start]!a}"


def _open_stream(path: Path, found: Destination) -> int:
    """A descriptor of a pipe or a device, or a copy of one of this process's own."""
    if found.fd is not None:
        for stream in (sys.stdout, sys.stderr):  # what was said before comes before
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        return os.dup(found.fd)
    deadline = time.monotonic() + PIPE_READER_TIMEOUT_S
    while True:
        try:
            handle = os.open(found.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW)
            os.set_blocking(handle, True)
            return handle
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise _cannot_write(path, "it is a pipe, and no other program reads from it") from None
        time.sleep(PIPE_POLL_S)


def _cannot_write(path: Path | str, why: str) -> BadUsage:
    return BadUsage(f"cannot write {path}", why, "name a file in a folder that exists and can be written")
