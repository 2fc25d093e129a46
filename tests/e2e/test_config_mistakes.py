"""Mistakes in files are all reported at once, with file, line, field and the allowed values."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.directories import write
from tests.e2e.running import World

FRONT = "---\nname: Desk\nmodel: m\n{}---\n\nHello.\n"
GOOD = {
    "assistants/desk.md": FRONT.format(""),
    "vector-stores/s.yaml": "name: S\nfiles:\n  a.md:\n",
    "files.yaml": "a.md:\n  bytes: 3\n",
}

MISTAKES = {
    "a tool's type": (
        {
            "assistants/desk.md": FRONT.format(
                "tools:\n  - type: function\n    function: {name: f}\n  - type: file_serach\n"
            )
        },
        "assistants/desk.md:7: tools[1].type: 'file_serach' is not known; allowed: azure_ai_search, ",
        "did you mean file_search?",
    ),
    "an unknown key": (
        {"assistants/desk.md": FRONT.format("temprature: 1\n")},
        "assistants/desk.md:4: temprature: is no key here; allowed: ",
        "did you mean temperature?",
    ),
    "a number too large": (
        {"assistants/desk.md": FRONT.format("temperature: 3\n")},
        "assistants/desk.md:4: temperature: 3 is too large, the most is 2",
    ),
    "a number for a text": (
        {"assistants/desk.md": FRONT.format("metadata:\n  floor: 3\n")},
        "assistants/desk.md:5: metadata.floor: must be a text, and is a number; write it in quotes",
    ),
    "no name": (
        {"assistants/desk.md": "---\nmodel: m\n---\n"},
        "assistants/desk.md:2: name: is missing: an assistant needs a name, or an id",
    ),
    "no front matter": (
        {"assistants/desk.md": "Hello.\n"},
        "assistants/desk.md:1: an assistant's file begins with a line ---",
    ),
    "no end of it": (
        {"assistants/desk.md": "---\nname: Desk\n"},
        "assistants/desk.md:1: the second --- line, which ends the configuration, is missing",
    ),
    "no YAML": ({"assistants/desk.md": FRONT.format("tools: [\n")}, "assistants/desk.md:5: no YAML: "),
    "a key twice": (
        {"assistants/desk.md": FRONT.format("model: n\n")},
        "assistants/desk.md:4: the key 'model' is on line 3 already",
    ),
    "instructions twice": (
        {"assistants/desk.md": FRONT.format("instructions: Hi.\n")},
        "assistants/desk.md:4: instructions are given twice: here and below",
    ),
    "a store that is not there": (
        {
            "assistants/desk.md": FRONT.format(
                "tool_resources:\n  file_search:\n    vector_store_ids:\n      - T\n      - S\n"
            )
        },
        "assistants/desk.md:7: tool_resources.file_search.vector_store_ids[0]: "
        "there is no vector store 'T' in vector-stores",
    ),
    "a file that is not there": (
        {"vector-stores/s.yaml": "name: S\nfiles:\n  a.md:\n  b.md:\n"},
        "vector-stores/s.yaml:4: files.b.md: there is no file 'b.md' in files.yaml; did you mean a.md?",
    ),
    "two of one key": (
        {"assistants/other.md": FRONT.format("")},
        "assistants/other.md:2: name: 'Desk' is assistants/desk.md already; give one of them an id",
    ),
    "bytes that are not there": (
        {"files.yaml": "a.md:\n  path: docs/a.md\n"},
        "files.yaml:2: a.md.path: docs/a.md: no such file or directory",
    ),
    "bytes outside": (
        {"files.yaml": "a.md:\n  path: ../../etc/passwd\n"},
        "files.yaml:2: a.md.path: leads out of the directory",
    ),
    "other bytes": (
        {"files.yaml": f"a.md:\n  sha256: {'a' * 64}\n  path: docs/a.md\n", "docs/a.md": "x"},
        "files.yaml:2: a.md.sha256: the bytes at its path are different: ",
    ),
    "no size": (
        {"files.yaml": "a.md:\n"},
        "files.yaml:1: a.md: needs `path` (its bytes are here) or `bytes` (its size)",
    ),
    "days": (
        {"vector-stores/s.yaml": "name: S\nexpires_after:\n  anchor: last_active_at\n  days: 400\n"},
        "vector-stores/s.yaml:4: expires_after.days: 400 is too large, the most is 365",
    ),
    "a bomb": (
        {
            "files.yaml": "a: &a [x]\n"
            + "".join(
                f"{c}: &{c} [*{p}, *{p}, *{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
            )
        },
        "uses of aliases",
    ),
    "a tag": (
        {"assistants/desk.md": FRONT.format("temperature: !!float 1\n")},
        "assistants/desk.md:4: the tag",
    ),
    "deep": ({"files.yaml": "a: " + "[" * 3000 + "]" * 3000 + "\n"}, "files.yaml:1: it is nested too deeply"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported(small: World, name: str) -> None:
    texts, *words = MISTAKES[name]
    folder = write(small.folder / "agents", {**GOOD, **texts})
    small.plain("assess", folder, "--to", "openai").error(2, *(word.replace("agents/", "") for word in words))


def test_what_is_right_is_read(small: World) -> None:
    folder = write(small.folder / "agents", GOOD)
    assert small("diff", folder, folder).ok()["compared"] == {
        "file": 1,
        "vector_store": 1,
        "assistant": 1,
        "vector_store_file": 1,
    }


def test_all_mistakes_of_all_files_are_reported_at_once(small: World) -> None:
    texts = {f"assistants/a{n:02}.md": FRONT.format("temperature: 9\n") for n in range(30)}
    folder = write(small.folder / "agents", {**GOOD, **texts})
    said = small.plain("assess", folder, "--to", "openai")
    assert said.code == 2
    lines = said.err.strip().splitlines()
    assert lines[0].startswith("error: 60 mistakes in ")  # each is invalid and has the name of another one
    assert sum("assistants/a" in line for line in lines) == 20
    assert "and 40 more" in said.err


def test_not_utf8_is_reported_with_its_line(small: World) -> None:
    folder = write(small.folder / "agents", GOOD)
    (Path(folder) / "assistants/desk.md").write_bytes(b"---\nname: D\nmodel: \xff\n---\n")
    small.plain("assess", folder, "--to", "openai").error(2, "assistants/desk.md:3: is not UTF-8")


def test_a_path_that_is_no_folder_is_refused(small: World) -> None:
    folder = write(small.folder / "other", {"x.txt": ""})
    small("diff", folder, "source").error(2, "is no config directory", "export")


def test_a_text_that_yaml_1_1_would_change_stays(small: World) -> None:
    front = "metadata:\n  a: no\n  b: 2024-01-01\n  c: 1:30\n  d: yes\n"
    folder = write(small.folder / "agents", {"assistants/desk.md": FRONT.format(front)})
    small("diff", folder, folder).ok()
    small("export", folder, str(small.folder / "b")).ok()
    small("diff", folder, str(small.folder / "b")).ok()
