"""Keeps two writers off one archive; the second is told who holds it. Readers need no lock."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path

from migrate.errors import ArchiveBusy, BadUsage


class WriterLock:
    """A lock file beside the archive, locked by the operating system, so a killed program leaves none."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def take(cls, archive: Path) -> WriterLock:
        """Raises `ArchiveBusy` with the holder's process and host."""
        path = archive.with_name(archive.name + ".lock")
        if path.is_symlink():  # somebody put it there: the file behind it would be emptied
            raise BadUsage(
                f"cannot write to {archive}",
                f"{path.name} beside it is a link",
                f"remove {path}, and look why",
            )
        handle = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            _lock(handle)
            if not _is_at(path, handle):  # its last holder took the file away while we waited for it
                os.close(handle)
                return cls.take(archive)
        except OSError:
            holder = os.read(handle, 200).decode(errors="replace").strip()
            os.close(handle)
            raise ArchiveBusy(
                f"{archive} is being written by another program",
                holder or "its name is not known yet",
                "wait until it ends; reading commands work meanwhile",
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
        return cls(path, handle)

    def release(self) -> None:
        """Let go, and take the lock file away."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._handle)


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
