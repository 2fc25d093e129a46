"""Let only one program write to an archive; the error of the second names the first. Readers need no lock.

The archive's real name counts, so a link to it is the same archive; on Linux the file itself is locked too,
which a second name of it (a hard link) does not pass by.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import sys
from pathlib import Path

from migrate.errors import ArchiveBusy, BadUsage

# A link or a pipe that somebody laid in the lock's place is not opened.
SAFE_OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
# What a file system says that knows no locks of a whole file.
LOCKS_UNSUPPORTED_ERRNOS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


class WriterLock:
    """A lock file beside the archive, locked by the operating system, so a killed program leaves none."""

    def __init__(self, path: Path, handle: int, archive: int | None = None) -> None:
        self.path = path
        self._handle = handle
        self._archive = archive

    @classmethod
    def acquire(cls, archive: Path) -> WriterLock:
        """`archive` by its real name. Raises `ArchiveBusy` with the holder's process and host, `BadUsage`
        where nothing can be written there, or something else lies in the lock's place."""
        path = archive.with_name(archive.name + ".lock")
        while True:
            handle = _open(path, archive)
            try:
                held = _lock_both(path, handle, archive)
            except BaseException:
                os.close(handle)
                raise
            if held is not None:
                return cls(path, handle, held or None)
            os.close(handle)  # its last holder took the file away while we waited for it

    def release(self) -> None:
        """Let go, and take the lock file away; after every connection to the archive was closed."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._handle)
        if self._archive is not None:
            os.close(self._archive)


def _open(path: Path, archive: Path) -> int:
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | SAFE_OPEN_FLAGS, 0o600)
    except OSError as error:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise _in_the_way(path) from None
        raise _cannot_write(archive, error) from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(handle)
        raise _in_the_way(path)
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    return handle


def _lock_both(path: Path, handle: int, archive: Path) -> int | None:
    """Lock an opened lock file, then the archive: a handle that holds the latter, 0 for none, and None where
    the lock file is not the one that others see."""
    try:
        if not _try_lock(handle):
            holder = os.read(handle, 200).decode(errors="replace").strip()
            raise _busy(archive, holder or "its name is not known yet")
        if not _is_at(path, handle):
            return None
        held = _lock_archive(archive)
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
    except OSError as error:
        raise _cannot_write(archive, error) from None
    return held


def _lock_archive(archive: Path) -> int:
    """Lock the archive itself, which counts whatever its name. SQLite's own locks are of another sort."""
    if sys.platform != "linux":
        return 0
    try:
        handle = os.open(archive, os.O_RDONLY | SAFE_OPEN_FLAGS)
    except FileNotFoundError:  # it is made at the end: see output.py
        return 0
    try:
        locked = _try_lock(handle)
    except OSError:
        os.close(handle)
        return 0
    if not locked:
        os.close(handle)
        raise _busy(archive, "by another name of the same file (a hard link)")
    return handle


def _busy(archive: Path, holder: str) -> ArchiveBusy:
    return ArchiveBusy(
        f"{archive} is being written by another program",
        holder,
        "wait until it ends; reading commands work meanwhile",
    )


def _in_the_way(path: Path) -> BadUsage:
    return BadUsage(
        f"{path} is in the way",
        "the lock of the archive has that name, and what lies there is a link or no plain file",
        "look at what it is, then remove it",
    )


def _cannot_write(archive: Path, error: OSError) -> BadUsage:
    return BadUsage(
        f"cannot write {archive}",
        f"{error.strerror or error}: the lock that keeps a second writer out lies beside it",
        "give an archive in a folder where you can write, or change who may",
    )


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(handle: int) -> bool:
    """Whether the lock could be taken. Raises `OSError` where there are no locks."""
    try:
        _lock(handle)
    except OSError as error:
        if error.errno in LOCKS_UNSUPPORTED_ERRNOS:
            raise
        return False
    return True


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
