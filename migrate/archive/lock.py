"""Let only one program write to an archive. The error of a second writer has the process of the first one.
Readers need no lock.

The lock file is beside the archive's real name, so a link to it is the same archive. On Linux the archive
itself is locked too, so a second name of it (a hard link) is also the same archive.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import sys
from pathlib import Path

from migrate.errors import ArchiveBusy, BadUsage, DiskFull, MigrateError
from migrate.files.output import DISK_FULL_ERRNOS

# A link or a pipe in the place of the lock file is not opened.
SAFE_OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
# Errors of file systems that have no locks of whole files.
LOCKS_UNSUPPORTED_ERRNOS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)

LOCK_PURPOSE = "the lock of the archive has that name"


class WriterLock:
    """A lock file beside the archive. The operating system holds the lock, so a killed program leaves
    none."""

    def __init__(self, path: Path, handle: int, archive: int | None = None) -> None:
        self.path = path
        self._handle = handle
        self._archive = archive

    @classmethod
    def acquire(cls, archive: Path) -> WriterLock:
        """Lock an archive, given by its real name.

        Raises `ArchiveBusy` with process and host of the holder, `DiskFull`, and `BadUsage` where the lock
        file cannot be written or something else has its name.
        """
        path = archive.with_name(archive.name + ".lock")
        while True:
            handle = _open(path, archive)
            try:
                archive_handle = _lock_both(path, handle, archive)
            except BaseException:
                os.close(handle)
                raise
            if archive_handle is not None:
                return cls(path, handle, archive_handle or None)
            os.close(handle)  # the last holder removed the file after it was opened here

    def release(self) -> None:
        """Release the lock and remove the lock file. All connections to the archive must be closed before."""
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
            raise name_is_taken(path, LOCK_PURPOSE) from None
        raise _cannot_write(archive, error) from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(handle)
        raise name_is_taken(path, LOCK_PURPOSE)
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    return handle


def _lock_both(path: Path, handle: int, archive: Path) -> int | None:
    """Lock an opened lock file, then the archive. Returns a handle that holds the lock of the archive, 0
    where it has none, and None where the lock file at `path` is another file by now."""
    try:
        if not _try_lock(handle):
            holder = os.read(handle, 200).decode(errors="replace").strip()
            raise _busy(archive, holder or "its name is not known yet")
        if not _is_at(path, handle):
            return None
        archive_handle = _lock_archive(archive)
        os.ftruncate(handle, 0)
        _write_holder(handle)
    except OSError as error:
        raise _cannot_write(archive, error) from None
    return archive_handle


def _write_holder(handle: int) -> None:
    try:
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
    except OSError as error:
        if error.errno not in DISK_FULL_ERRNOS:  # the lock is held without its text too
            raise


def _lock_archive(archive: Path) -> int:
    """Lock the archive itself, independent of its name. This does not affect SQLite's own locks, which are of
    another type."""
    if sys.platform != "linux":
        return 0
    try:
        handle = os.open(archive, os.O_RDONLY | SAFE_OPEN_FLAGS)
    except FileNotFoundError:  # created at the end of a merge, see merge/files.py
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


def disk_full(archive: Path, why: str) -> DiskFull:
    """The error where there is no space for an archive, or for a file that is written beside it."""
    return DiskFull(
        f"{archive} cannot grow",
        why,
        "free some space there and in the folder for temporary files, then run the same command again",
    )


def name_is_taken(path: Path, purpose: str) -> BadUsage:
    """The error for a link, or another non-regular file, with the name of a file beside an archive."""
    return BadUsage(
        f"{path} is in the way",
        f"{purpose}; this is a link or no regular file",
        "check what it is, then remove it",
    )


def _cannot_write(archive: Path, error: OSError) -> MigrateError:
    if error.errno in DISK_FULL_ERRNOS:
        return disk_full(archive, error.strerror or str(error))
    return BadUsage(
        f"cannot write {archive}",
        f"{error.strerror or error}: the lock file that prevents a second writer is beside it",
        "give an archive in a folder where you can write, or change the permissions",
    )


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(handle: int) -> bool:
    """Whether the lock was acquired. Raises `OSError` where the file system has no locks."""
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
