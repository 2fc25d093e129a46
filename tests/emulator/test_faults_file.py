"""A faults file: an error names the file, the row, the key and the allowed values."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrate.emulator import FaultsFileError, Options
from migrate.emulator.faults.parser import FILE_KEYS, KINDS, REQUEST_KEYS, SETTINGS, read_faults

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/emulator.md").read_text(encoding="utf-8")

WRONG = {
    "": "there is no fault in it",
    "seed = 1": "there is no fault in it",
    "seed = 'x'\n[[fault]]\nwhat = 'cut'": 'seed = "x": allowed: a whole number',
    "sead = 1": "unknown key 'sead'; allowed: fault, seed",
    "[[fault]]": "fault 1: what = nothing: allowed: too-many, error, html, cut",
    "[[fault]]\nwhat = 'cut'\n[[fault]]\nwhat = 'cats'": 'fault 2: what = "cats": allowed: too-many',
    "[[fault]]\nwhat = 'cut'\nstatus = 500": "fault 1: unknown key 'status'; allowed for cut: from, method",
    "[[fault]]\nwhat = 'error'\nstatus = 200": "status = 200: allowed: a status from 400 to 599",
    "[[fault]]\nwhat = 'cut'\nshare = 2": "share = 2: allowed: a number above 0, at most 1",
    "[[fault]]\nwhat = 'cut'\nnth = [0]": "nth = [0]: allowed: a whole number from 1 on, or a list",
    "[[fault]]\nwhat = 'cut'\nnth = []": "nth = []: allowed",
    "[[fault]]\nwhat = 'cut'\ntimes = true": "times = true: allowed: a whole number",
    "[[fault]]\nwhat = 'cut'\nmethod = 'FETCH'": 'method = "FETCH": allowed: GET, POST',
    "[[fault]]\nwhat = 'cut'\npath = 'threads'": 'path = "threads": allowed: text that begins with',
    "[[fault]]\nwhat = 'too-many'\nretry_after = 1\nretry_after_ms = 1": "exclude each other",
    "[[fault]]\nwhat = 'ingestion'\npath = '*'": "unknown key 'path'; allowed for ingestion: file, from",
    "[[fault]]\nwhat = 'moving'\nchange = 'away'": "allowed: insert, delete-seen, delete-cursor",
    "[[fault]\nwhat": "it is not valid TOML",
    "fault = [1]": "fault 1: 1: allowed: a table",
    "fault = 1": "there is no fault in it",
}


@pytest.mark.parametrize("text", WRONG)
def test_the_error_of_a_wrong_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FaultsFileError, match=re.escape(WRONG[text])) as caught:
        Options(faults=file)
    assert str(caught.value).startswith(f"{file}: ")


@pytest.mark.parametrize(("text", "words"), [("{", "it is not valid JSON"), ("[]", "must be an object")])
def test_a_wrong_json_file(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FaultsFileError, match=words):
        read_faults(file)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FaultsFileError, match="No such file"):
        read_faults(tmp_path / "faults.toml")


def test_toml_and_json_are_equivalent(tmp_path: Path) -> None:
    toml_file, json_file = tmp_path / "faults.toml", tmp_path / "faults.json"
    toml_file.write_text(
        "seed = 3\n[[fault]]\nwhat = 'error'\nmethod = 'POST'\nshare = 0.5", encoding="utf-8"
    )
    row = {"what": "error", "method": ["POST"], "share": 0.5}
    json_file.write_text(json.dumps({"seed": 3, "fault": [row]}), encoding="utf-8")
    (left,), (right,) = read_faults(toml_file), read_faults(json_file)
    assert (left.settings, left.seed) == (right.settings, right.seed)


def test_the_command_refuses_a_wrong_file(tmp_path: Path) -> None:
    from migrate.cli import program
    from migrate.errors import BadUsage

    file = tmp_path / "faults.toml"
    file.write_text("[[fault]]\nwhat = 'cats'", encoding="utf-8")
    done = CliRunner().invoke(program, ["emulate", "--port", "0", "--faults", str(file)])
    assert isinstance(done.exception, BadUsage)
    what, why, todo = done.exception.lines()
    assert "faults.toml" in what
    assert "fault 1" in why
    assert "docs/emulator.md" in todo


def test_the_page_names_every_kind_and_key() -> None:
    for name in {*KINDS, *REQUEST_KEYS, *FILE_KEYS, *SETTINGS}:
        assert f"`{name}" in PAGE, name


def test_the_example_of_the_page_is_a_faults_file(tmp_path: Path) -> None:
    (example,) = [code for code in re.findall(r"```\n(.+?)```", PAGE, re.DOTALL) if "[[fault]]" in code]
    file = tmp_path / "faults.toml"
    file.write_text(example, encoding="utf-8")
    assert {row.what for row in read_faults(file)} >= {"too-many", "error", "lost", "cut"}


@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_a_file_saved_by_another_editor(tmp_path: Path, ending: str) -> None:
    """A byte order mark and other line endings are accepted; UTF-16, folders and devices are refused."""
    text = (
        '{"fault": [{"what": "too-many",\n "share": 0.5}]}' if ending == ".json"
        else '[[fault]]\nwhat = "too-many"\nshare = 0.5\n'
    )  # fmt: skip
    file = tmp_path / f"faults{ending}"
    file.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert len(read_faults(file)) == 1
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        file.write_bytes(text.encode(encoding))
        with pytest.raises(FaultsFileError, match="UTF-16"):
            read_faults(file)
    file.write_bytes(b"[" * 200_000)
    with pytest.raises(FaultsFileError):
        read_faults(file)
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(FaultsFileError, match="not a regular file"):
            read_faults(path)
