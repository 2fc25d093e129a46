"""Standard output and standard error of every command: code pages, full disks, closed and broken pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Options
from tests.e2e.running import KEYS, ROOT, World, world

EMOJI = "\N{GRINNING FACE} Zo\u00eb \u65e5\u672c \u2028"
THREAD = "thread_1"
STATE: dict[str, Any] = {
    "assistants": [{"object": "assistant", "id": "asst_1", "created_at": 1, "name": f"Desk {EMOJI}",
                    "model": "gpt-4o", "instructions": f"Be kind {EMOJI}", "tools": [], "metadata": {}}],
    "threads": [{"object": "thread", "id": THREAD, "created_at": 2, "metadata": {"of": EMOJI}}],
    "files": [{"object": "file", "id": "file-1", "created_at": 2, "bytes": 2, "purpose": "assistants",
               "filename": f"{EMOJI}.txt", "status": "processed"}],
    "messages": [{"object": "thread.message", "id": "msg_1", "thread_id": THREAD, "created_at": 3,
                  "role": "user", "metadata": {}, "attachments": [],
                  "content": [{"type": "text", "text": {"value": f"Hi {EMOJI}", "annotations": []}}]}],
}  # fmt: skip
# Runs all commands of a list in one process, each with its own output file: starting Python takes longest.
DRIVER = """
import json, os, sys
from migrate import cli
job, codes = sys.argv[1], []
given = json.load(open(job))
for number, arguments in enumerate(given["commands"]):
    sys.stdout, sys.stderr, sys.argv = sys.__stdout__, sys.__stderr__, ["assistants-migrate", *arguments]
    for fd, ending in ((1, "out"), (2, "err")):
        name = given.get(ending) or f"{given['folder']}/{number}.{ending}"
        handle = os.open(name, os.O_CREAT | os.O_WRONLY)
        os.dup2(handle, fd)
        os.close(handle)
    try:
        cli.main()
    except SystemExit as done:
        codes.append(done.code or 0)
json.dump(codes, open(job + ".codes", "w"))
"""


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    state = folder / "state"
    (state / "content").mkdir(parents=True)
    for name, rows in STATE.items():
        (state / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    (state / "content" / "file-1").write_bytes(b"hi")
    source = Options(key=KEYS["SOURCE_KEY"], state=state, record=True, downloads=True)
    target = Options(key=KEYS["TARGET_KEY"], record=True, ingestion_seconds=0, downloads=True)
    with world(folder, source, target) as made:
        made.snapshot()
        made.planned(code=0)
        made.apply().ok()
        yield made


def commands(moved: World, folder: Path) -> list[list[str]]:
    """Every command that prints, in every format. Those that change something have their own files."""
    db, other = moved.db, str(folder / "other.db")
    listed = [
        ["doctor", "source"],
        ["snapshot", "source", "-o", other, "--tag", EMOJI],
        ["snapshots", other],
        ["ls", db], ["ls", db, "--unused"],
        ["show", db, "asst_1"],
        ["history", db, "asst_1"],
        ["search", db, "zo\u00eb"],
        *(["transcript", db, THREAD, "--format", f] for f in ("text", "markdown", "json", "html", "jsonl")),
        ["extract", db, "--dir", str(folder / "bytes")],
        ["check", db],
        ["merge", db, "-o", str(folder / "merged.db")],
        ["forget", other, "--keep-last", "1", "--dry-run"],
        ["assess", db, "--to", "foundry"],
        *(["diff", db, "target", "--format", f] for f in ("text", "json", "markdown", "html", "junit")),
        *(["assess", db, "--to", "foundry", "--format", f] for f in ("json", "markdown", "html", "junit")),
        ["export", db, str(folder / "config")],
        ["export", db, str(folder / "tf"), "--format", "azapi"],
        ["plan", db, "target", "-o", str(folder / "plan.json"), "--accept-loss", "all"],
        ["verify", moved.plan],
        *(["ids", db, "--format", format_] for format_ in ("csv", "json", "sql")),
        ["sync", "source", "target", "-o", other, "--accept-loss", "all"],
        ["--help"],
    ]  # fmt: skip
    with_json = [[*one, "--json"] for one in listed if one[0] not in ("--help", "extract", "merge")]
    tail = ["--config", str(moved.config)]
    return [[*one, *(tail if one != ["--help"] else [])] for one in [*listed, *with_json]]


def run(moved: World, folder: Path, given: list[list[str]], env: dict[str, str], **streams: str) -> list[int]:
    """Run the commands; returns exit codes. The output of each command is in `folder` under its number."""
    job = folder / "job.json"
    job.write_text(json.dumps({"commands": given, "folder": str(folder), **streams}), encoding="utf-8")
    ours = ("LC_", "LANG", "PYTHONIO", "PYTHONUTF8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(job)],
        cwd=ROOT, env={**clean, **moved.env, **env}, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return list(json.loads(Path(f"{job}.codes").read_text(encoding="utf-8")))


def is_data(arguments: list[str]) -> bool:
    formats = ("json", "markdown", "html", "junit", "sql")
    return bool({"--json", *formats} & set(arguments)) or arguments[0] == "ids"


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("encoding", "env"),
    [
        ("cp1252:strict", {}), ("cp932", {}), ("utf-16", {}),
        ("", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ],
    ids=lambda value: value if isinstance(value, str) and value else "C locale",
)  # fmt: skip
def test_a_stream_that_lacks_a_sign_gets_an_escape_and_data_is_utf8(
    moved: World, tmp_path: Path, encoding: str, env: dict[str, str]
) -> None:
    given = commands(moved, tmp_path)
    codes = run(moved, tmp_path, given, {**env, **({"PYTHONIOENCODING": encoding} if encoding else {})})
    name = encoding.partition(":")[0] or "ascii"
    for number, (code, arguments) in enumerate(zip(codes, given, strict=True)):
        out, err = ((tmp_path / f"{number}.{end}").read_bytes() for end in ("out", "err"))
        assert b"Traceback" not in err
        # Where file names are ASCII, the file with the emoji is reported as not written.
        allowed = {"extract": 3, "export": 2}.get(arguments[0], 0) if not encoding else 0
        assert code in (0, 1, allowed), (arguments, err.decode(name, "replace"))
        if code == allowed != 0:
            assert b"file names are encoded in ascii here" in out + err
            continue
        text = out.decode("utf-8" if is_data(arguments) else name)
        assert text.strip(), arguments
        if "--json" in arguments:
            assert text.isascii()
            json.loads(text)
    shown = (tmp_path / f"{given.index(['ls', moved.db, '--config', str(moved.config)])}.out").read_bytes()
    assert ("\\U0001f600" in shown.decode(name)) is (name != "utf-16")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_behind_standard_output_is_reported_and_ends_with_3(moved: World, tmp_path: Path) -> None:
    given = commands(moved, tmp_path)
    codes = run(moved, tmp_path, given, {}, out="/dev/full")
    for number, (code, arguments) in enumerate(zip(codes, given, strict=True)):
        err = (tmp_path / f"{number}.err").read_text(encoding="utf-8")
        assert code == 3, (arguments, err)
        assert "error: cannot write to standard output\n  why: No space left on device\n  next: " in err
        assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_behind_standard_error_changes_nothing(moved: World, tmp_path: Path) -> None:
    given = [*commands(moved, tmp_path), ["show", moved.db, "nobody"], ["nonsense"]]
    codes = run(moved, tmp_path, given, {}, err="/dev/full")
    assert set(codes[:-2]) <= {0, 1}
    assert codes[-2:] == [1, 2] or codes[-2:] == [2, 2]


def shell(moved: World, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=ROOT, env={**os.environ, **moved.env},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


PROGRAM = f"{sys.executable} -m migrate"


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["ls {db}", "transcript {db} thread_1", "ids {db}", "ls {db} --json"])
def test_a_stream_that_is_closed_changes_no_exit_code(moved: World, command: str, closed: str) -> None:
    said = shell(moved, f"{PROGRAM} {command.format(db=moved.db)} {closed}")
    assert said.returncode == 0
    assert "Traceback" not in said.stderr


def test_an_archive_is_not_written_over_by_messages_when_standard_output_is_closed(
    moved: World, tmp_path: Path
) -> None:
    archive = tmp_path / "a.db"
    said = shell(moved, f"{PROGRAM} snapshot source -o {archive} --config {moved.config} >&- 2>&- <&-")
    assert said.returncode == 0
    assert shell(moved, f"{PROGRAM} check {archive}").returncode == 0


def test_a_reader_that_has_seen_enough_is_no_failure(moved: World) -> None:
    for command in ("ids", "ls", "snapshots"):
        said = shell(moved, f"{PROGRAM} {command} {moved.db} | true")
        assert said.returncode == 0
        assert said.stderr == ""


def test_a_verdict_is_not_lost_when_nobody_reads_it(moved: World, tmp_path: Path) -> None:
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "a.md").write_text("---\nname: a\nmodel: m\n---\n", encoding="utf-8")
    said = shell(moved, f"{PROGRAM} diff {tmp_path} {moved.db} | true")
    assert said.returncode == 1
    assert said.stderr == ""


def test_a_question_that_nobody_can_answer_is_a_stop(moved: World) -> None:
    for stdin in ("<&-", "</dev/null", "< <(printf '\\xff\\n')"):
        said = shell(moved, f"{PROGRAM} apply {moved.plan} --config {moved.config} {stdin}")
        assert said.returncode == 3, said.stderr
        assert "Traceback" not in said.stderr
    said = shell(moved, f"{PROGRAM} snapshot source --threads - -o {moved.folder}/x.db "
                        f"--config {moved.config} <&-")  # fmt: skip
    assert said.returncode == 2
    assert "it is closed" in said.stderr
