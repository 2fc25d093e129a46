"""The folder that transcripts are written to: whose it is, files that appear complete, and what is left.

A file `transcripts.json` marks the folder as ours from the first moment, and says whether it is complete. A
run that was interrupted is simply started again. Nothing is written among files of somebody else.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from migrate.errors import BadUsage, OperationRefused
from migrate.files.output import atomic_write, translate_write_errors
from migrate.model.entity import JSON
from migrate.model.known_secrets import redact

MANIFEST = "transcripts.json"
MADE_BY = "assistants-migrate"
UNFINISHED, COMPLETE = "unfinished", "complete"
# A manifest is small; a larger file of that name is not one.
MAX_MANIFEST_BYTES = 1 << 20
# Every path that a run may write. Only files with such a path are ever removed.
WRITTEN_PATH = re.compile(
    r"(?:index(?:-\d+)?\.(?:html|md)|style\.css|conversations\.jsonl|threads/(?:\d+/)?[\w-]+(?:\.\d+)?\.(?:html|md)"
    r"|(?:files|texts)/[0-9a-f]{12}/[^/]+|(?:threads/(?:\d+/)?|(?:files|texts)/[0-9a-f]{12}/)?\.[0-9a-f]{16}\.tmp)"
)
OWN_FOLDERS = ("threads", "files", "texts")


class TranscriptFolder:
    """An open folder. Each file appears under its name when it is complete."""

    def __init__(self, path: Path, facts: Mapping[str, JSON], force: bool = False) -> None:
        """Take the folder, and mark it. `facts`: kept in the manifest. `force`: replace complete transcripts.

        Raises `OperationRefused` where it has files of somebody else, or complete transcripts; `BadUsage`
        where it cannot be created."""
        self.path, self._facts = path, facts
        self._is_used = _check_folder(path, force)
        self._made: set[Path] = set()
        # Hashes of the paths that were written, where an earlier run may have left others: 100,000 paths
        # themselves would take 15 MB.
        self._written: set[int] = set()
        self._write_manifest(UNFINISHED)

    def write(self, relative: str, chunks: Iterable[str]) -> None:
        """Write text as UTF-8, without secrets of this run; half of a surrogate pair is written as an
        escape."""
        self.write_bytes(relative, (redact(chunk).encode("utf-8", "backslashreplace") for chunk in chunks))

    def write_bytes(self, relative: str, chunks: Iterable[bytes]) -> None:
        """Write bytes. Raises `BadUsage`, and `DiskFull`."""
        place = self.path / relative
        self._note_written(relative)
        with translate_write_errors(place):
            self._make_folder(place.parent)
            with atomic_write(place, durable=False) as file:
                file.writelines(chunks)

    def has(self, relative: str) -> bool:
        """Whether a file is there already, complete; it stays."""
        if not (self.path / relative).is_file() or (self.path / relative).is_symlink():
            return False
        self._note_written(relative)
        return True

    def _note_written(self, relative: str) -> None:
        if self._is_used:
            self._written.add(hash(relative))

    def finish(self, facts: Mapping[str, JSON]) -> int:
        """Remove what an earlier run left and this one did not write, and mark the folder as complete.
        Returns how many files were removed."""
        removed = self._remove_leftovers() if self._is_used else 0
        self._facts = {**self._facts, **facts}
        self._write_manifest(COMPLETE)
        return removed

    def _make_folder(self, folder: Path) -> None:
        if folder in self._made:
            return
        for level in (*reversed(folder.relative_to(self.path).parents), folder.relative_to(self.path)):
            (self.path / level).mkdir(exist_ok=True, mode=0o700)  # `parents=True` would forget the mode
        if not folder.resolve().is_relative_to(self.path.resolve()):
            raise OperationRefused(
                f"{folder} leads out of the folder of transcripts", "it is a link", "give --dir a new folder"
            )
        self._made.add(folder)

    def _write_manifest(self, state: str) -> None:
        text = json.dumps({"made_by": MADE_BY, "state": state, **self._facts}, indent=1, default=str)
        with translate_write_errors(self.path / MANIFEST), atomic_write(self.path / MANIFEST) as file:
            file.write(f"{text}\n".encode("utf-8", "backslashreplace"))

    def _remove_leftovers(self) -> int:
        removed = 0
        for relative in _own_files(self.path):
            if hash(relative) not in self._written:
                with contextlib.suppress(FileNotFoundError):
                    (self.path / relative).unlink()
                    removed += 1
        for name in OWN_FOLDERS:
            for folder, _, _ in os.walk(self.path / name, topdown=False):
                with contextlib.suppress(OSError):  # it is not empty
                    Path(folder).rmdir()
        return removed


def _own_files(path: Path) -> Iterator[str]:
    """Paths of the files that a run may have written, relative to the folder. Links are not followed."""
    starts = [path, *(path / name for name in OWN_FOLDERS if not (path / name).is_symlink())]
    for start in starts:
        for folder, folders, names in os.walk(start):
            if start == path:
                folders.clear()
            for name in names:
                relative = (Path(folder) / name).relative_to(path).as_posix()
                if WRITTEN_PATH.fullmatch(relative):
                    yield relative


def _check_folder(path: Path, force: bool) -> bool:
    """Create the folder where it is missing. Whether an earlier run used it."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_empty = next(path.iterdir(), None) is None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or str(error)
        raise BadUsage(f"cannot create the folder {path}", why, "choose another --dir") from None
    if is_empty:
        return False
    state = _read_state(path / MANIFEST)
    if state is None:
        raise OperationRefused(
            f"{path} has files that are no transcripts",
            "a new run would mix its files with them",
            "give --dir a new or an empty folder",
        )
    if state == COMPLETE and not force:
        raise OperationRefused(
            f"{path} has transcripts already",
            "a new run would replace them",
            "give --dir another folder, or --force to replace them",
        )
    return True


def _read_state(manifest: Path) -> str | None:
    """The state that a manifest of ours says; None where there is none."""
    try:
        if manifest.is_symlink() or manifest.stat().st_size > MAX_MANIFEST_BYTES:
            return None
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("made_by") != MADE_BY:
        return None
    return str(found.get("state"))
