"""Write a file that the user gave with -o or --report, or that a command writes next to its archive.

A symbolic link is followed, and the file that it points to is written. A pipe or a device is written to,
and never replaced by a file. A regular file is replaced at once: it is first written under a random name
in the same folder, so that nobody can have prepared it, and then renamed.
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

# Every file that is written names objects of an estate. The mode is also used where an earlier file had
# another one.
OWNER_ONLY_MODE = 0o600
# Opening a named pipe without a reader would otherwise wait for ever.
PIPE_READER_TIMEOUT_S = 10.0
PIPE_POLL_S = 0.02
MAX_SYMLINKS = 40  # the limit of Linux
DISK_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# The path of an open file descriptor of this process. The open file is never replaced by another one,
# because the shell that opened it would continue with the old one.
DESCRIPTOR_PATH = re.compile(r"/(?:dev|proc/self|proc/thread-self)/fd/(\d+)")
# -o and --report take `-` for standard output, as other programs do. A file of this name can be given as
# `./-`.
STDOUT_PATH = Path("-")
STANDARD_STREAM_FDS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}


@dataclass(frozen=True)
class Destination:
    """Where bytes are written: `path` with all links resolved, or the file descriptor `fd` of this process.

    `is_plain_file`: it is a regular file or does not exist yet, so it can be replaced at once.
    """

    path: Path
    fd: int | None = None
    is_plain_file: bool = True


def resolve_destination(path: Path) -> Destination:
    """Find out where a path leads, without writing. Raises `BadUsage` if nothing can be written there."""
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
        raise _cannot_write(repr(str(path)), f"it is not a valid file name: {error}") from None


def _check_existing(path: Path, real: Path, status: os.stat_result) -> Destination:
    kind = status.st_mode
    if stat.S_ISDIR(kind):
        raise _cannot_write(path, "it is a folder, not a file")
    if stat.S_ISBLK(kind) or stat.S_ISSOCK(kind):
        raise _cannot_write(path, "it is a block device" if stat.S_ISBLK(kind) else "it is a socket")
    if not stat.S_ISREG(kind):
        return Destination(real, is_plain_file=False)
    return _check_folder(path, Destination(real))


def _check_folder(path: Path, destination: Destination) -> Destination:
    if not os.access(destination.path.parent, os.W_OK | os.X_OK):
        raise _cannot_write(path, f"the folder {destination.path.parent} is not writable")
    return destination


def _resolve_links(path: Path) -> tuple[Path, int | None]:
    """The path with the links of its last part followed one by one. If one of them is an open file
    descriptor of this process, that descriptor as well."""
    current = path.absolute()
    for _ in range(MAX_SYMLINKS):
        if (fd := _descriptor(current)) is not None:
            return current, fd
        folder = Path(os.path.realpath(current.parent))
        ends_with_name = current.name not in ("", "..")
        current = folder / current.name if ends_with_name else Path(os.path.realpath(current))
        if (fd := _descriptor(current)) is not None:
            return current, fd
        if not current.is_symlink():
            return current, None
        current = folder / current.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _descriptor(path: Path) -> int | None:
    name = str(path).replace(f"/proc/{os.getpid()}/", "/proc/self/")
    if name in STANDARD_STREAM_FDS:
        return STANDARD_STREAM_FDS[name]
    match = DESCRIPTOR_PATH.fullmatch(name)
    return int(match[1]) if match else None


def write_text(path: Path, chunks: Iterable[str]) -> None:
    """Write text as UTF-8 to the destination of `path` (see `resolve_destination`). Half of a surrogate pair,
    which UTF-8 cannot encode, is written as an escape sequence.

    Raises `BadUsage`, and `DiskFull` if there is no space. A file that could not be written whole is
    removed.
    """
    destination = resolve_destination(path)
    encoded = (chunk.encode("utf-8", "backslashreplace") for chunk in chunks)
    with translate_write_errors(path):
        if destination.is_plain_file:
            with atomic_write(destination.path) as file:
                file.writelines(encoded)
            return
        with os.fdopen(_open_stream(path, destination), "wb") as file:
            file.writelines(encoded)


@contextmanager
def atomic_write(path: Path, mode: int = OWNER_ONLY_MODE, durable: bool = True) -> Iterator[IO[bytes]]:
    """A new file that replaces `path` when the block ends without an error. A link at `path` itself is
    replaced, not followed. Raises `OSError`."""
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
    which the caller closes. The file is deleted when the block ends, unless it was renamed. Raises
    `OSError`."""
    new = path.with_name(f".{secrets.token_hex(8)}.tmp")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    is_ours = True
    try:  # Ctrl-C may come at once after the file was created
        try:
            handle = os.open(new, flags, OWNER_ONLY_MODE)
        except OSError:
            is_ours = False
            raise
        yield new, handle
    finally:
        if is_ours:
            with contextlib.suppress(FileNotFoundError):
                new.unlink()


def shared_file_mode() -> int:
    """The permissions of a new file that other users may read, as far as the umask allows."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def sync_folder(folder: Path) -> None:
    """Wait until the file names in a folder are on disk. Has no effect on file systems that do not support
    it."""
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
            todo = "free some space, or name a file on another disk"
            raise DiskFull(f"cannot write {path}", why, todo) from None
        raise _cannot_write(path, why) from None
    except UnicodeEncodeError as error:
        raise BadUsage(
            f"cannot write {path!a}", describe_unencodable_name(error), "set PYTHONUTF8=1"
        ) from None


def describe_unencodable_name(error: UnicodeEncodeError) -> str:
    """Why a text cannot be a file name on this system, for a message."""
    return f"file names are encoded in {error.encoding} here, which lacks {error.object[error.start]!a}"


def _open_stream(path: Path, destination: Destination) -> int:
    """An open descriptor of a pipe or a device, or a copy of an open descriptor of this process."""
    if destination.fd is not None:
        for stream in (sys.stdout, sys.stderr):  # earlier output must come first
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        return os.dup(destination.fd)
    deadline = time.monotonic() + PIPE_READER_TIMEOUT_S
    while True:
        try:
            handle = os.open(destination.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW)
            os.set_blocking(handle, True)
            return handle
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise _cannot_write(path, "it is a pipe, and no other program reads from it") from None
        time.sleep(PIPE_POLL_S)


def _cannot_write(path: Path | str, why: str) -> BadUsage:
    return BadUsage(f"cannot write {path}", why, "name a file in a folder that exists and is writable")
