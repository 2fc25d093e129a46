"""All files that a user can pass in, and ways to damage them: commands with files, by a seed."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NASTY = (
    "",
    " ",
    "\n",
    "a\nb",
    "\r",
    "\t",
    "\x00",
    "\x1b[2J",
    "\x7f",
    "\ud800",
    "\udcff",
    "\ufeff",
    "\u202e",
    "\u2028",
    "\U0001f600",
    "..",
    ".",
    "/",
    "a/b",
    "../../x",
    "?",
    "#",
    "%",
    "%00",
    "*",
    "**",
    "[",
    "[!",
    "[]]",
    "{",
    "}",
    "'",
    '"',
    "\\",
    "$(x)",
    "-",
    "--",
    "-1",
    "0",
    "1",
    "99999",
    "65536",
    "1" * 30,
    "1" * 5000,
    "1e400",
    "nan",
    "inf",
    "0x10",
    "\u0663",
    "1_0",
    "+1",
    "1/2",
    "0/0",
    "2/1",
    "1/0",
    "-1/3",
    "1/" + "9" * 30,
    "50%",
    "101%",
    "-1%",
    "%%",
    "x" * 300,
    "x" * 100_000,
    "latest",
    "a.db@",
    "@",
    "a=b",
    "=",
    "a=",
    "=b",
    "a=b=c",
    "thread:*",
    "nothing:x",
    ":",
    ":x",
    "x:",
    "http://",
    "http://[::1",
    "http://[::1]:x",
    "http://127.0.0.1:-1",
    "http://127.0.0.1:99999",
    "https://a\nb",
    "https://u:p@h",
    "https:///x",
    "https://\u2603",
    "https://[v1.x]",
    "http://127.0.0.1:1/?a#b",
    "ftp://x",
    "//x",
    "openai+",
    "+",
    "openai+x",
    "foundry+https://",
    "openai+http://h",
    "openai+http://127.0.0.1:1",
    "file:///dev/null",
    "2024-13-01",
    "null",
    "true",
    "[[[[",
    "{}",
    "[]",
    "/dev/null",
    "/dev/zero",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1 << 70,
    1.5,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    [{}],
    {"": {}},
    {"a": None},
    [None],
    "http://[::1",
)


@dataclass
class Case:
    """One command, and the files it needs: name -> bytes. `FOLDER` in an argument is their folder."""

    arguments: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


def damaged_bytes(chance: random.Random, data: bytes) -> bytes:
    """A text with one to three small damages."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((0, 1, 1, 4, 40)))
        how = chance.randrange(8)
        if how == 0:
            data = data[:at]
        elif how == 1:
            data = data[:at] + data[end:]
        elif how == 2:
            data = data[:at] + chance.choice(NASTY)[:400].encode("utf-8", "surrogatepass") + data[end:]
        elif how == 3:
            data = data[:at] + bytes(chance.randrange(256) for _ in range(3)) + data[at:]
        elif how == 4:
            data = data[:at] + data[at:end] * 50 + data[end:]
        elif how == 5:
            data = data[:at] + chance.choice((b"[", b"{", b'{"a":', b"- ", b"(")) * 3000 + data[at:]
        elif how == 6:
            data = data.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-8-sig", "utf-32")))
        else:
            lines = data.splitlines(keepends=True)
            chance.shuffle(lines)
            data = b"".join(lines)
    return data


def damaged_json(chance: random.Random, value: Any) -> Any:
    """A JSON document with one value replaced, removed or doubled, however deep."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if chance.random() < 0.1:
            return {**value, chance.choice(NASTY)[:50]: value[key]}
        return {**value, key: damaged_json(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], damaged_json(chance, value[at]), *value[at + 1 :]]
    return chance.choice((*VALUES, *NASTY[:60]))


CONFIG = """[estates.east]
type = "openai"
endpoint = "http://127.0.0.1:1"
auth = "key"
key_env = "FUZZ_KEY"
threads_file = "ids.txt"
[models]
"a" = "b"
[connections]
"c" = "d"
"""
RULES = """[[ignore]]
kind = "assistant"
name = "A*"
path = 'tools[*].function["odd key"].**'
action = "changed"
reason = "r"
expires = 2030-01-01
"""
FAULTS = """seed = 7
[[fault]]
what = "too-many"
path = "/threads*"
method = "GET"
nth = [1, 2]
retry_after = 1
"""
VARIABLES = """[environments.dev]
name_prefix = "dev-"
[environments.dev.models]
"gpt-4o" = "x"
"""
ASSISTANT = """---
name: A
model: gpt-4o
temperature: 0.5
metadata:
  k: v
tools:
  - type: file_search
  - type: function
    function:
      name: f
      parameters: {type: object}
---

Be kind.
"""
DIRECTORY: Mapping[str, bytes] = {
    "cfg/assistants/a.md": ASSISTANT.encode(),
    "cfg/variables.toml": VARIABLES.encode(),
    "cfg/vector-stores/s.yaml": b"name: S\nfiles:\n  a.txt: {}\n",
    "cfg/files.yaml": b"a.txt:\n  name: a.txt\n  bytes: 3\n",
}


def _config(chance: random.Random, _: Mapping[str, bytes]) -> Case:
    command = chance.choice((["doctor", "east"], ["plan", "FOLDER/a.db", "east", "-o", "FOLDER/p.json"]))
    config = damaged_bytes(chance, CONFIG.encode())
    if chance.random() < 0.4:  # one value of the file, otherwise well formed
        old = chance.choice(('"openai"', '"http://127.0.0.1:1"', '"FUZZ_KEY"', '"key"', '"ids.txt"', '"b"'))
        config = CONFIG.replace(old, json.dumps(chance.choice(NASTY))).encode("utf-8", "surrogatepass")
    return Case([*command, "--config", "FOLDER/estates.toml"], {"estates.toml": config})


def _rules(chance: random.Random, _: Mapping[str, bytes]) -> Case:
    rules = damaged_bytes(chance, RULES.encode())
    return Case(
        ["diff", "FOLDER/cfg", "FOLDER/cfg", "--ignore", "FOLDER/rules"], {**DIRECTORY, "rules": rules}
    )


def _directory(chance: random.Random, _: Mapping[str, bytes]) -> Case:
    name = chance.choice(list(DIRECTORY))
    files = {**DIRECTORY, name: damaged_bytes(chance, DIRECTORY[name])}
    more = chance.choice(([], ["--env", "dev"], ["--env", chance.choice(NASTY)]))
    return Case(["assess", "FOLDER/cfg", "--to", "openai", *more], files)


def _plan(chance: random.Random, known: Mapping[str, bytes]) -> Case:
    """A changed plan, mostly with a matching digest."""
    from migrate.model.normalize import json_digest

    plan = known["plan.json"]
    if chance.random() < 0.3:
        return Case(["verify", "FOLDER/plan.json"], {"plan.json": damaged_bytes(chance, plan)})
    document = damaged_json(chance, json.loads(plan))
    if isinstance(document, dict):
        body = {key: value for key, value in document.items() if key != "digest"}
        with contextlib.suppress(UnicodeEncodeError, TypeError, ValueError):
            document = {**body, "digest": json_digest(body)}
    text = json.dumps(document).encode()
    return Case([chance.choice(("verify", "apply", "rollback")), "FOLDER/plan.json"], {"plan.json": text})


def _faults(chance: random.Random, _: Mapping[str, bytes]) -> Case:
    data = damaged_bytes(chance, FAULTS.encode())
    port = chance.choice(("-1", "99999", "x", "65536"))  # it never starts to listen
    return Case(["emulate", "--port", port, "--faults", "FOLDER/f.toml"], {"f.toml": data})


def _ids(chance: random.Random, _: Mapping[str, bytes]) -> Case:
    data = damaged_bytes(chance, b"thread_1\n# a comment\nthread_2\n")
    return Case(
        ["snapshot", "openai+http://127.0.0.1:1", "--threads", "FOLDER/ids", "-o", "FOLDER/n.db"],
        {"ids": data},
    )


OPTIONS: tuple[tuple[str, ...], ...] = (
    ("search", "FOLDER/a.db", "X"),
    ("search", "FOLDER/a.db", "i", "--limit", "X"),
    ("search", "FOLDER/a.db", "i", "--kind", "X"),
    ("show", "FOLDER/a.db", "X"),
    ("show", "X", "asst_1"),
    ("history", "FOLDER/a.db", "X"),
    ("ls", "FOLDER/a.db", "--kind", "X"),
    ("ls", "FOLDER/a.db@X"),
    ("ls", "X"),
    ("transcript", "FOLDER/a.db", "X"),
    ("transcript", "FOLDER/a.db", "--all", "--dir", "X"),
    ("transcript", "FOLDER/a.db", "--all", "--dir", "FOLDER/s", "--id", "X"),
    ("extract", "FOLDER/a.db", "X", "--dir", "FOLDER/o"),
    ("check", "FOLDER/a.db", "--sample", "X"),
    ("check", "X"),
    ("forget", "FOLDER/a.db", "X", "--dry-run"),
    ("forget", "FOLDER/a.db", "--keep-last", "X", "--dry-run"),
    ("forget", "FOLDER/a.db", "--keep-tag", "X", "--dry-run"),
    ("ids", "FOLDER/a.db", "X"),
    ("ids", "FOLDER/a.db", "--to", "X"),
    ("diff", "FOLDER/a.db", "X"),
    ("diff", "X", "FOLDER/a.db"),
    ("diff", "FOLDER/a.db", "FOLDER/a.db", "--kind", "X"),
    ("diff", "FOLDER/a.db", "FOLDER/a.db", "--include", "X"),
    ("diff", "FOLDER/a.db", "FOLDER/a.db", "--exclude", "X"),
    ("diff", "FOLDER/a.db", "FOLDER/a.db", "--since", "X"),
    ("diff", "FOLDER/a.db", "FOLDER/a.db", "--journal", "X"),
    ("diff", "FOLDER/a.db", "FOLDER/a.db", "--ignore", "X"),
    ("diff", "FOLDER/a.db", "FOLDER/a.db", "-o", "X"),
    ("assess", "FOLDER/a.db", "--to", "X"),
    ("assess", "FOLDER/a.db", "--to", "openai", "--models", "X"),
    ("assess", "FOLDER/a.db", "--to", "openai", "--connections", "X"),
    ("assess", "FOLDER/a.db", "--to", "openai", "--accept-loss", "X"),
    ("doctor", "X"),
    ("snapshot", "X", "-o", "FOLDER/n.db"),
    ("snapshot", "openai+http://127.0.0.1:1", "-o", "FOLDER/n.db", "--shard", "X"),
    ("snapshot", "openai+http://127.0.0.1:1", "-o", "FOLDER/n.db", "--include", "X"),
    ("snapshot", "openai+http://127.0.0.1:1", "-o", "FOLDER/n.db", "--tag", "X"),
    ("snapshot", "openai+http://127.0.0.1:1", "-o", "FOLDER/n.db", "--workers", "X"),
    ("plan", "FOLDER/a.db", "X", "-o", "FOLDER/p.json"),
    ("plan", "FOLDER/a.db", "openai+http://127.0.0.1:1", "-o", "X"),
    ("plan", "FOLDER/a.db", "openai+http://127.0.0.1:1", "-o", "FOLDER/p.json", "--max-delete", "X"),
    ("export", "FOLDER/a.db", "FOLDER/o", "--include", "X"),
    ("export", "X", "FOLDER/o"),
    ("export", "FOLDER/a.db", "FOLDER/o", "--env", "X"),
    ("emulate", "--port", "X", "--faults", "FOLDER/none"),
    ("emulate", "--port", "-1", "--latency", "X"),
    ("emulate", "--port", "99999", "--key", "X"),
    ("emulate", "--port", "99999", "--state", "X"),
    ("merge", "X", "-o", "FOLDER/m.db"),
    ("snapshots", "X"),
    ("apply", "X"),
    ("verify", "X"),
    ("rollback", "X"),
    ("X",),
    ("ls", "FOLDER/a.db", "--config", "X"),
    ("doctor", "east", "--config", "X"),
)


def _options(chance: random.Random, _: Mapping[str, bytes]) -> Case:
    value = chance.choice(NASTY)
    return Case([word.replace("X", value) for word in chance.choice(OPTIONS)], dict(DIRECTORY))


SOURCES: Mapping[str, Callable[[random.Random, Mapping[str, bytes]], Case]] = {
    "config": _config,
    "rules": _rules,
    "directory": _directory,
    "plan": _plan,
    "faults": _faults,
    "ids": _ids,
    "options": _options,
}


def case(seed: int, known: Mapping[str, bytes], folder: Path) -> tuple[str, Case]:
    """The case of a seed, and its origin. `known`: files of a valid run."""
    chance = random.Random(seed)
    source = chance.choice(["options", *SOURCES])
    made = SOURCES[source](chance, known)
    return source, Case([word.replace("FOLDER", str(folder)) for word in made.arguments], made.files)
