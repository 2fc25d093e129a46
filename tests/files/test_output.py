"""Output files of -o: links, pipes and devices stay what they are."""

from __future__ import annotations

import errno
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.errors import BadUsage, DiskFull
from migrate.files import output
from migrate.files.output import atomic_write, resolve_destination, write_text

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices as POSIX has them")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    write_text(tmp_path / "a", ["one", "two 😀 \ud800"])
    assert (tmp_path / "a").read_bytes() == "onetwo 😀 \\ud800".encode()
    assert mode(tmp_path / "a") == 0o600
    assert names(tmp_path) == {"a"}


@posix
def test_a_file_that_all_could_read_is_for_its_owner_only_afterwards(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("old")
    report.chmod(0o644)
    write_text(report, ["new"])
    assert (report.read_text(), mode(report)) == ("new", 0o600)


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_written_through(tmp_path: Path, there: bool) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    file, link, further = tmp_path / "real" / "a", tmp_path / "links" / "b", tmp_path / "c"
    if there:
        file.write_text("old")
    link.symlink_to("../real/a")
    further.symlink_to(link)
    write_text(further, ["new"])
    assert file.read_text() == "new"
    assert link.is_symlink()
    assert further.is_symlink()


@posix
def test_what_cannot_be_written_is_reported_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "lost").symlink_to("no/such")
    (tmp_path / "file").write_text("")
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as opened:
        opened.bind(f"{short}/s")
        for path, why in {
            tmp_path: "it is a folder",
            tmp_path / "loop": "symbolic links",
            tmp_path / "lost": "no folder",
            tmp_path / "no" / "a": "no folder",
            tmp_path / "file" / "a": "not a folder",
            Path(short) / "s": "a socket",
            Path(f"{tmp_path}/a\0"): "not a valid file name",
            Path(f"{tmp_path}/\ud800"): "not a valid file name",
            tmp_path / ("a" * 300): "too long",
            Path("/dev/fd/876"): "Bad file descriptor",
        }.items():
            with pytest.raises(BadUsage) as failed:
                resolve_destination(path)
            assert why in failed.value.why
            with pytest.raises(BadUsage):
                write_text(path, ["x"])
    assert names(tmp_path) == {"loop", "lost", "file"}


@posix
def test_a_folder_that_nothing_can_be_written_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(BadUsage) as failed:
        resolve_destination(tmp_path / "a")
    assert "is not writable" in failed.value.why


@posix
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_text(pipe, ["x" * 200_000])
    reader.join()
    assert got == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    monkeypatch.setattr(output, "PIPE_READER_TIMEOUT_S", 0.0)
    with pytest.raises(BadUsage) as failed:
        write_text(pipe, ["x"])
    assert "no other program reads from it" in failed.value.why


@posix
def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    for path in (Path("/dev/null"), link):
        write_text(path, ["x"])
        assert stat.S_ISCHR(path.stat().st_mode)
    assert link.is_symlink()


@posix
@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_a_descriptor_of_this_process_is_written_at_its_position(tmp_path: Path, name: str) -> None:
    if name.startswith("/proc") and not Path("/proc/self/fd").exists():
        pytest.skip("no such names here")
    file = tmp_path / "file"
    handle = os.open(file, os.O_CREAT | os.O_RDWR)
    try:
        os.write(handle, b"before ")
        path = Path(name.format(handle))
        if name == "link":
            path = tmp_path / "link"
            path.symlink_to(f"/dev/fd/{handle}")
        write_text(path, ["report "])
        os.write(handle, b"after")
    finally:
        os.close(handle)
    assert file.read_text() == "before report after"


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_has_its_own_exit_code() -> None:
    with pytest.raises(DiskFull) as failed:
        write_text(Path("/dev/full"), ["x"])
    assert failed.value.exit_code == 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_what_fails_in_the_middle_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, number: int
) -> None:
    (tmp_path / "a").write_text("old")

    def pieces() -> Iterator[str]:
        yield "new"
        raise OSError(number, os.strerror(number))

    with pytest.raises(BadUsage if number == errno.EIO else DiskFull):
        write_text(tmp_path / "a", pieces())
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == {"a"}


@posix
def test_a_link_planted_at_the_temporary_name_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("of others")
    monkeypatch.setattr(output.secrets, "token_hex", lambda _: "guessed")
    (tmp_path / ".guessed.tmp").symlink_to(precious)
    with pytest.raises(BadUsage):
        write_text(tmp_path / "a", ["x"])
    assert precious.read_text() == "of others"


def test_temporary_names_are_never_the_same(tmp_path: Path) -> None:
    seen: set[str] = set()
    for _ in range(50):
        with atomic_write(tmp_path / "a") as file:
            file.write(b"x")
            seen |= names(tmp_path) - {"a"}
    assert len(seen) == 50


def test_ctrl_c_at_once_after_a_file_was_created_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = os.open

    def interrupted(path: Any, *given: Any) -> int:
        os.close(opening(path, *given))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt), output.temporary_file_beside(tmp_path / "x"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_could_not_be_created_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.secrets, "token_hex", lambda _: "same")
    (tmp_path / ".same.tmp").write_text("of another program")
    with pytest.raises(FileExistsError), output.temporary_file_beside(tmp_path / "x"):
        pass
    assert (tmp_path / ".same.tmp").read_text() == "of another program"
