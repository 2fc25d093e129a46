"""Files as arguments: outputs that are links, pipes and devices, and texts of any editor."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import ROOT, World, options, world

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices as POSIX has them")
PRECIOUS = "a file of others"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small estate that was read, planned and applied."""
    folder = tmp_path_factory.mktemp("world")
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True)
    target = options("TARGET_KEY", service="openai", list_threads="works", downloads=True)
    with world(folder, source, target) as made:
        made.snapshot()
        made.planned()
        made.apply().ok()
        yield made


def thread(moved: World) -> str:
    return next(id_ for id_, held in moved.source.estate.messages.items() if held)


def outputs(moved: World) -> dict[str, list[str]]:
    """Every command that writes a file of the user's choice; the file's name comes last."""
    return {
        "diff": ["diff", moved.db, "target", "-o"],
        "assess": ["assess", moved.db, "--to", "azure-openai", "-o"],
        "plan": ["plan", moved.db, "target", "--accept-loss", "all", "-o"],
        "report of plan": ["plan", moved.db, "target", "--accept-loss", "all", "-o", moved.plan, "--report"],
        "verify": ["verify", moved.plan, "-o"],
        "transcript": ["transcript", moved.db, thread(moved), "-o"],
    }


COMMANDS = ("diff", "assess", "plan", "report of plan", "verify", "transcript")


@pytest.mark.exhaustive(3)
@posix
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_is_a_link_is_written_through(moved: World, tmp_path: Path, command: str) -> None:
    real, link, dangling = tmp_path / "real.txt", tmp_path / "link.txt", tmp_path / "new.txt"
    real.write_text("old")
    link.symlink_to(real)
    dangling.symlink_to("behind.txt")
    for name, behind in ((link, real), (dangling, tmp_path / "behind.txt")):
        said = moved.plain(*outputs(moved)[command], str(name))
        assert said.code in (0, 1), said.err
        assert name.is_symlink()
        assert len(behind.read_text()) > 100
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.exhaustive(3)
@posix
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_is_a_pipe_or_a_device_stays_one(moved: World, tmp_path: Path, command: str) -> None:
    pipe, device = tmp_path / "pipe", Path("/dev/null")
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    assert moved.plain(*outputs(moved)[command], str(pipe)).code in (0, 1)
    reader.join(10)
    assert len(got[0]) > 100
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert moved.plain(*outputs(moved)[command], str(device)).code in (0, 1)
    assert stat.S_ISCHR(device.stat().st_mode)


@posix
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_asked(
    moved: World, tmp_path: Path, command: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    before = len(moved.target.requests), len(moved.source.requests)
    for path in (tmp_path / "no" / "a", tmp_path / "loop", tmp_path / "file" / "a"):
        moved.plain(*outputs(moved)[command], str(path)).error(2, "cannot write")
    assert (len(moved.target.requests), len(moved.source.requests)) == before
    said = moved.plain(*outputs(moved)[command], str(tmp_path))
    assert said.code == 2
    assert "director" in said.err or "folder" in said.err


@posix
def test_standard_output_is_named_as_a_file(moved: World, tmp_path: Path) -> None:
    """As `-o /dev/stdout` redirected to a file, which must not be replaced while it is open."""
    file = tmp_path / "all.txt"
    with file.open("wb") as opened:
        opened.write(b"before\n")
        opened.flush()
        code = subprocess.run(
            [sys.executable, "-m", "migrate", "transcript", moved.db, thread(moved), "-o", "/dev/stdout"],
            cwd=ROOT, stdout=opened, check=False,
        ).returncode  # fmt: skip
        opened.write(b"after\n")
    lines = file.read_text().splitlines()
    assert code == 0
    assert (lines[0], lines[-1]) == ("before", "after")
    assert len(lines) > 5


@posix
@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_planted_beside_an_output_is_not_changed(moved: World, tmp_path: Path, command: str) -> None:
    """Links and files at every predictable name: what they point to does not change."""
    precious, output = tmp_path / "precious", tmp_path / "out.json"
    precious.write_text(PRECIOUS)
    for ending in (".new", ".part", ".tmp", f".{os.getpid()}.part", ".lock", "~"):
        (tmp_path / f"out.json{ending}").symlink_to(precious)
        (tmp_path / f".out.json{ending}").symlink_to(precious)
    planted = {path.name for path in tmp_path.iterdir()}
    assert moved.plain(*outputs(moved)[command], str(output)).code in (0, 1)
    assert precious.read_text() == PRECIOUS
    assert {path.name for path in tmp_path.iterdir()} == {*planted, "out.json"}
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("command", ["snapshot", "merge", "sync"])
def test_a_lock_that_is_a_link_is_refused_and_the_file_behind_it_stays(
    moved: World, tmp_path: Path, command: str
) -> None:
    precious, archive = tmp_path / "precious", tmp_path / "a.db"
    precious.write_text(PRECIOUS)
    (tmp_path / "a.db.lock").symlink_to(precious)
    arguments = {
        "snapshot": ["snapshot", "source", "-o", str(archive)],
        "merge": ["merge", moved.db, "-o", str(archive)],
        "sync": ["sync", "source", "target", "--accept-loss", "all", "-o", str(archive)],
    }[command]
    moved.plain(*arguments).error(2, "is a link")
    assert precious.read_text() == PRECIOUS


@posix
def test_what_was_planted_beside_an_archive_is_not_changed(moved: World, tmp_path: Path) -> None:
    precious, archive = tmp_path / "precious", tmp_path / "a.db"
    precious.write_text(PRECIOUS)
    for name in ("a.db.merging", "a.db.new", "a.db.tmp", ".a.db.merging", "a.db.plan.json.new"):
        (tmp_path / name).symlink_to(precious)
    moved("merge", moved.db, "-o", str(archive)).ok()
    moved("snapshot", "source", "-o", str(archive)).ok()
    moved("sync", "source", "target", "--accept-loss", "all", "-o", str(archive)).ok()
    assert precious.read_text() == PRECIOUS
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert not [path for path in tmp_path.iterdir() if "merging-" in path.name]


@posix
def test_what_was_planted_in_a_folder_that_is_written_is_not_changed(moved: World, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text(PRECIOUS)
    folder = tmp_path / "config"
    moved("export", moved.db, str(folder)).ok()
    for path in [*folder.rglob("*.*")]:
        (path.parent / f".{path.name}.new").symlink_to(precious)
    for path in [*folder.rglob("*.md")]:
        path.write_text("changed", encoding="utf-8")
    moved("export", moved.db, str(folder)).ok()
    assert precious.read_text() == PRECIOUS


# -- text files of users -------------------------------------------------------------------------------------

RULES = '[[ignore]]\npath = "**"\nreason = "all of it"\n'
FAULTS = '[[fault]]\nwhat = "refuse"\npath = "/nothing"\n'


def texts(moved: World, folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Text files of a user: the content, and the command that reads it. FILE is replaced by its path."""
    thread_id = thread(moved)
    return {
        "config": (moved.config.read_text(encoding="utf-8"), ["doctor", "source", "--config", "FILE"]),
        "rules": (RULES, ["diff", moved.db, "target", "--ignore", "FILE"]),
        "plan": (Path(moved.plan).read_text(encoding="utf-8"), ["verify", "FILE"]),
        "ids": (f"{thread_id}\n", ["snapshot", "source", "--threads", "FILE", "-o", str(folder / "i.db")]),
    }


def run(moved: World, arguments: list[str], file: Path) -> tuple[int, str]:
    given = [str(file) if word == "FILE" else word for word in arguments]
    if "--config" in given:  # the world adds its own option, which would have precedence
        done = subprocess.run(
            [sys.executable, "-m", "migrate", *given],
            cwd=ROOT, env={**os.environ, **moved.env}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr
    said = moved.plain(*given)
    return said.code, said.err


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("kind", ["config", "rules", "plan", "ids"])
def test_a_text_with_a_byte_order_mark_and_other_line_ends_is_read(
    moved: World, tmp_path: Path, kind: str
) -> None:
    content, command = texts(moved, tmp_path)[kind]
    file = tmp_path / "given.toml"
    for data in (content.encode("utf-8-sig"), content.replace("\n", "\r\n").encode("utf-8-sig")):
        file.write_bytes(data)
        code, err = run(moved, command, file)
        assert code == 0, err


@pytest.mark.parametrize("kind", ["config", "rules", "plan", "ids"])
def test_a_text_of_another_encoding_is_named_as_such(moved: World, tmp_path: Path, kind: str) -> None:
    content, command = texts(moved, tmp_path)[kind]
    file = tmp_path / "given.toml"
    for data, words in (
        (content.encode("utf-16"), "UTF-16"),
        (content.encode("utf-16-le"), "UTF-16"),
        (content.encode("utf-32"), "UTF-32"),
        (f"# Zoë\n{content}".encode("latin-1"), "byte 0xEB at line 1, column 5"),
    ):
        file.write_bytes(data)
        code, err = run(moved, command, file)
        assert code == 2
        assert words in err
        assert "Traceback" not in err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_thread_ids_on_standard_input(moved: World, tmp_path: Path, encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "migrate", "snapshot", "source", "--threads", "-",
         "-o", str(tmp_path / "a.db"), "--config", str(moved.config)],
        cwd=ROOT, env={**os.environ, **moved.env}, capture_output=True, check=False,
        input=f"{thread(moved)}\r\n".encode(encoding),
    )  # fmt: skip
    assert done.returncode == (0 if encoding == "utf-8-sig" else 2), done.stderr
    assert (b"UTF-16" in done.stderr) is (encoding == "utf-16")


@pytest.mark.parametrize("place", ["assistants/a.md", "vector-stores/v.yaml", "files.yaml", "variables.toml"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_files_of_a_config_directory(moved: World, tmp_path: Path, place: str, encoding: str) -> None:
    text = {
        "assistants/a.md": "---\nname: Zoë\nmodel: gpt-4o\n---\nBe kind.\n",
        "vector-stores/v.yaml": "name: Zoë\n",
        "files.yaml": "Zoë.txt:\n  name: Zoë.txt\n  bytes: 3\n",
        "variables.toml": '[environments.a.models]\n"Zoë" = "gpt-4o"\n',
    }[place]
    folder = tmp_path / "config"
    (folder / "assistants").mkdir(parents=True)
    (folder / "assistants" / "b.md").write_text("---\nname: b\nmodel: gpt-4o\n---\n", encoding="utf-8")
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_bytes(text.replace("\n", "\r\n").encode(encoding))
    said = moved.plain("diff", str(folder), str(folder))
    if encoding == "utf-8-sig":
        assert said.code == 0, said.err
    else:
        said.error(2, place, "UTF-16" if encoding == "utf-16" else "byte 0xEB")
