"""Malicious names, bodies and answers, and the places where a test puts them."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e import projects
from tests.e2e.faults import Fault
from tests.e2e.running import World

FORGED = "0 findings, all is well"
NAMES = (
    "../../etc/passwd",
    "..\\..\\x.bat",
    "/abs.txt",
    "C:\\w.ini",
    "CON",
    "nul.txt",
    "a\0b.txt",
    "\x1b]0;own\x07\x1b[31mred.txt",
    "\x9b31mred.txt",
    "\u202egnp.exe",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\uff1d1+1",
    "\uff20SUM(1)",
    "x'); DROP TABLE id_map;--",
    "<script>alert(1)</script>",
    "![x](https://example.invalid/x.png)",
    f"x\n{FORGED}\r\n{FORGED}\u2028{FORGED}",
    "",
    "..",
    "half\ud800.txt",
    "{{ 7 * 7 }}",
    "%s%n{0}",
    "a" * 250 + ".txt",
)
DEEP = '"swap this for something deep"'


def deep(levels: int = 2000) -> str:
    """JSON of objects in objects and lists in lists."""
    return '{"a":[' * (levels // 2) + "1" + "]}" * (levels // 2)


class Deep(Fault):
    """Puts deeply nested JSON where an answer has a placeholder."""

    levels = 2000

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        start: list[Any] = []
        parts: list[bytes] = []

        async def held(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = b"".join(parts).replace(DEEP.encode(), deep(self.levels).encode())
                kept = [(k, v) for k, v in start[0]["headers"] if k.lower() != b"content-length"]
                await send({**start[0], "headers": [*kept, (b"content-length", str(len(body)).encode())]})
                await send({"type": "http.response.body", "body": body})

        await app(scope, receive, held)


def nested(levels: int = 2000) -> Deep:
    """Put it into every answer to a reading request, as long as the service runs."""
    fault = Deep(lambda method, path, query: method == "GET" and "/content" not in path, last=10**9)
    fault.levels = levels
    return fault


PLACEHOLDER = json.loads(DEEP)


def fill(world: World) -> str:
    """An estate in which every name is hostile; the id of its one thread."""
    source = world.source
    files = [projects.file(source, n, name, b"leaf %d" % n) for n, name in enumerate(NAMES)]
    for n, name in enumerate(NAMES):
        metadata = {name[:60] or "k": name[:500]}
        given = {"instructions": name or "x", "description": name[:500], "metadata": metadata}
        projects.add(source, projects.assistant(n, name[:256], **given))
        projects.store(source, n, name, files[n : n + 1])
    thread = projects.thread(source, 1, [name or "x" for name in NAMES], metadata={"title": NAMES[7]})
    tools = [{"type": "code_interpreter"}]
    projects.say(
        source, thread, "with files", attachments=[{"file_id": f, "tools": tools} for f in files[:9]]
    )
    return thread


def commands(world: World, thread: str) -> list[tuple[str, ...]]:
    """Every command that shows a name, in an order in which each has its inputs."""
    db, plan = world.db, world.plan
    return [
        ("doctor", "source"),
        ("snapshot", "source", "-o", db),
        ("snapshots", db),
        ("ls", db),
        ("ls", db, "--kind", "message"),
        ("show", db, "assistant-0000000000000000000007"),
        ("show", db, f"asst_{7:024}"),
        ("show", db, thread),
        ("search", db, "e"),
        ("search", db, "\x1b"),
        ("index", db),
        ("search", db, "--query", "kind:file pass*"),
        ("search", db, "--query", "no\x1b[31msuch\u202e"),
        ("transcript", db, thread),
        ("transcript", db, thread, "--format", "markdown"),
        ("transcript", db, thread, "--format", "html"),
        ("transcript", db, thread, "--format", "jsonl"),
        *(
            ("transcript", db, "--all", "--dir", str(world.folder / form), "--format", form, "--force")
            for form in ("html", "markdown", "jsonl")
        ),
        ("transcript", db, "no\x1b[31msuch\nthread"),
        ("extract", db, "--dir", str(world.folder / "files")),
        ("extract", db, "--dir", str(world.folder / "files")),
        ("extract", db, "no\x1b[31msuch\nfile", "--dir", str(world.folder / "none")),
        ("check", db),
        ("diff", db, "target"),
        ("assess", db, "--to", "target"),
        ("plan", db, "target", "-o", plan, "--accept-loss", "all"),
        ("apply", plan, "--yes"),
        ("verify", plan),
        ("diff", db, "target"),
        ("ids", db, f"asst_{7:024}"),
        ("rollback", plan, "--yes"),
    ]
