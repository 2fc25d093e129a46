"""A random sequence of syncs: two services, edits on both sides, and what must be true after each sync.

Shares no code with what it examines: the target is judged by what its service holds.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.common_form import Agent, agents_of, conversations_of
from tests.e2e.projects import EPOCH, agent, assistant, file, say, store, thread
from tests.e2e.running import CommandResult, World
from tests.e2e.small_estate import converse

Json = dict[str, Any]
# Number of syncs, and of edits before each sync.
STEPS, EDITS = 4, 4
TABLES = ("assistants", "agents", "threads", "conversations", "files", "vector_stores")
INNER = ("messages", "items", "vector_store_files", "agent_versions")


@dataclass
class SyncSequence:
    """One sequence. `foreign`: objects of others on the target. `tampered`: texts that others wrote into our
    objects."""

    made: World
    seed: int
    rng: random.Random = field(init=False)
    number: int = 0
    foreign: dict[tuple[str, str], Json] = field(default_factory=dict)
    tampered: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    # Archive of the last sync, with the state in which the target was left.
    last: str = ""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.archives = [str(self.made.folder / f"{name}.db") for name in "ab"]

    @property
    def new_source(self) -> bool:
        return self.made.types[0] == "foundry"

    # ---------------------------------------------------------------------------------- the source

    def begin(self) -> None:
        """A few of each."""
        for _ in range(2):
            self.add_assistant()
            self.add_thread()
        self.add_store()

    def next(self) -> int:
        self.number += 1
        return self.number

    def pick(self, table: Json) -> str | None:
        return self.rng.choice(sorted(table)) if table else None

    def add_assistant(self) -> None:
        n, cloud = self.next(), self.made.source
        if self.new_source:
            agent(cloud, f"helper-{n}", instructions=f"You are {n}.")
            return
        row = assistant(n, self.rng.choice(["helper", f"helper {n}", None]), metadata={"n": str(n)})
        cloud.estate.assistants[row["id"]] = row

    def add_thread(self) -> None:
        n, cloud = self.next(), self.made.source
        texts = [f"text {n} {k}" for k in range(self.rng.randint(0, 4))]
        if self.new_source:
            converse(cloud, n, texts)
        else:
            thread(cloud, n, texts, metadata={"n": str(n)})

    def add_store(self) -> None:
        n, cloud = self.next(), self.made.source
        held = [file(cloud, n * 10 + k, f"note-{n}-{k}.md", b"%d %d" % (n, k)) for k in range(2)]
        papers = store(cloud, n, f"papers {n}", held)
        if not self.new_source and (one := self.pick(cloud.estate.assistants)):
            tool = {
                "tools": [{"type": "file_search"}],
                "tool_resources": {"file_search": {"vector_store_ids": [papers]}},
            }
            self.change(one, **tool)

    def change(self, id_: str, **fields: Any) -> None:
        table = self.made.source.estate.assistants
        table[id_] = {**table[id_], **fields}

    def edit_assistant(self) -> None:
        estate, text = self.made.source.estate, f"Changed {self.next()}."
        if self.new_source:
            if name := self.pick(estate.agents):
                row = deepcopy(estate.agents[name])
                latest = row["versions"]["latest"]
                latest["version"] = str(int(latest["version"]) + 1)
                latest["id"] = f"{name}:{latest['version']}"
                latest["definition"]["instructions"] = text
                estate.agents[name] = row
                estate.agent_versions[name][latest["id"]] = latest
        elif id_ := self.pick(estate.assistants):
            self.change(id_, **self.rng.choice([{"instructions": text}, {"metadata": {"text": text}}]))

    def rename_assistant(self) -> None:
        if not self.new_source and (id_ := self.pick(self.made.source.estate.assistants)):
            self.change(id_, name=f"renamed {self.next()}")

    def remove_assistant(self) -> None:
        estate = self.made.source.estate
        if self.new_source:
            if len(estate.agents) > 1 and (name := self.pick(estate.agents)):
                del estate.agents[name], estate.agent_versions[name]
        elif len(estate.assistants) > 1 and (id_ := self.pick(estate.assistants)):
            del estate.assistants[id_]

    def add_message(self) -> None:
        cloud, n = self.made.source, self.next()
        if self.new_source:
            if id_ := self.pick(cloud.estate.conversations):
                item = f"msg_{n:050}"
                content = [{"type": "input_text", "text": f"later {n}"}]
                row = {
                    "type": "message",
                    "id": item,
                    "status": "completed",
                    "role": "user",
                    "content": content,
                }
                cloud.estate.items[id_][item] = row
        elif id_ := self.pick(cloud.estate.threads):
            say(cloud, id_, f"later {n}", created_at=EPOCH + 5000 + n)

    def remove_thread(self) -> None:
        estate = self.made.source.estate
        table, inner = (
            (estate.conversations, estate.items) if self.new_source else (estate.threads, estate.messages)
        )
        if len(table) > 1 and (id_ := self.pick(table)):
            del table[id_]
            inner.pop(id_, None)

    # ---------------------------------------------------------------------------------- the target

    def others_add(self) -> None:
        """Create an agent or thread of another user, which no sync may change."""
        n, cloud = self.next() + 5000, self.made.target
        if self.made.types[1] == "foundry":
            agent(cloud, f"helper-{self.rng.choice([n, self.number])}-other")
            converse(cloud, n, ["not yours"])
        else:
            row = assistant(n, self.rng.choice(["helper", f"other {n}"]))
            cloud.estate.assistants[row["id"]] = row
            thread(cloud, n, ["not yours"])
        self.foreign |= {
            key: deepcopy(row) for key, row in held(self.made).items() if key not in self.before_edit
        }

    def others_edit(self) -> None:
        """Change one of our assistants as another user."""
        estate, text = self.made.target.estate, f"Tampered {self.next()}."
        ours = {old: new for (kind, old), new in self.ids().items() if kind == "assistant"}
        there = estate.agents if self.made.types[1] == "foundry" else estate.assistants
        here = agents_of(self.made.source.estate, self.made.types[0])
        known = sorted(new for old, new in ours.items() if new in there and old in here)
        if not known:
            return
        new = self.rng.choice(known)
        row = deepcopy(there[new])
        if self.made.types[1] == "foundry":
            latest = row["versions"]["latest"]
            latest["version"] = str(int(latest["version"]) + 1)
            latest["id"] = f"{new}:{latest['version']}"
            latest["definition"]["instructions"] = text
            estate.agent_versions[new][latest["id"]] = latest
        else:
            row["instructions"] = text
        there[new] = row
        self.tampered.add(text)

    # ---------------------------------------------------------------------------------- the sequence

    def ids(self, *paths: str) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for path in paths or self.archives:
            if Path(path).exists():
                rows = self.made("ids", path).json
                found |= {(r["kind"], r["source_id"]): r["target_id"] for r in rows}
        return found

    def edit(self) -> None:
        self.before_edit = held(self.made)
        calm = [
            self.add_assistant, self.add_thread, self.add_store, self.edit_assistant, self.edit_assistant,
            self.rename_assistant, self.remove_assistant, self.add_message, self.add_message,
            self.remove_thread, self.others_add,
        ]  # fmt: skip
        for _ in range(self.rng.randint(1, EDITS)):
            act = self.rng.choice(calm)
            self.before_edit = held(self.made)
            self.log.append(act.__name__)
            act()
        if self.rng.random() < 0.25:
            self.log.append("others_edit")
            self.others_edit()

    def step(self) -> Iterator[str]:
        """Edit both sides, sync, and check the result."""
        self.edit()
        path = self.archives[self.rng.random() < 0.25]
        if self.rng.random() < 0.15 and not self.tampered:
            self.log.append("lost")
            Path(path).unlink(missing_ok=True)
            self.last = ""
        self.log.append(f"sync {path[-4]}")
        yield from self.sync(path)

    def sync(self, path: str, *more: str) -> Iterator[str]:
        before = held(self.made)
        said = self.made("sync", "source", "target", "-o", path, "--accept-loss", "all", *more)
        after = held(self.made)
        if said.code == 4:
            if after != before:
                yield "a conflict, and yet something was written"
            # An archive that did not leave an object as it is cannot know whose changes are in it.
            if not self.tampered and path == self.last:
                yield f"a conflict where nobody changed anything: {said.err[-600:]}"
            else:
                self.log.append("overwrite")
                yield from self.sync(path, "--on-conflict", "overwrite")
            return
        if said.code:
            yield f"ended with {said.code}: {_reasons(said)}"
            return
        self.last = path
        self.tampered = {text for text in self.tampered if f"'{text}'" in str(list(after.values()))}
        for key, row in self.foreign.items():
            if after.get(key) != row:
                yield f"somebody else's {key} changed"
        yield from self.unlike(path)

    def unlike(self, archive: str) -> Iterator[str]:
        """Every object of the source against its counterpart on the target."""
        ids, (one, other) = self.ids(archive), self.made.types
        here, there = self.made.source.estate, self.made.target.estate
        theirs = agents_of(there, other)
        for id_, ours in agents_of(here, one).items():
            found = theirs.get(ids.get(("assistant", id_), ""))
            if found is None:
                yield f"assistant {id_} is not there"
            elif _plain(ours, other) != _plain(found, other, ours.name):
                yield f"assistant {id_}: {ours} became {found}"
        said = conversations_of(there, other)
        for id_, talk in conversations_of(here, one).items():
            moved = said.get(ids.get(("thread", id_), ""))
            wanted = [(m.role, m.parts) for m in talk.messages]
            if moved is None or [(m.role, m.parts) for m in moved.messages] != wanted:
                yield f"thread {id_}: {wanted} became {moved}"
        for id_ in here.vector_stores:
            new = ids.get(("vector_store", id_), "")
            files = {ids.get(("file", f)) for f in here.vector_store_files[id_]}
            if new not in there.vector_stores or files != set(there.vector_store_files[new]):
                yield f"vector store {id_} is not there, or holds other files"
        for id_, blob in here.content.items():
            new = ids.get(("file", id_), "")
            if id_ in here.files and (new not in there.content or there.content[new].read() != blob.read()):
                yield f"file {id_} is not there, or has other bytes"
        for kind in ("assistant", "thread", "vector_store", "file"):
            live = {"assistant": agents_of(here, one), "thread": conversations_of(here, one)}.get(kind)
            live = live if live is not None else (here.files if kind == "file" else here.vector_stores)
            counts = Counter(ids[kind, id_] for id_ in live if (kind, id_) in ids)
            yield from (f"{kind} {id_} stands for {n}" for id_, n in counts.items() if n > 1)


def _reasons(said: CommandResult) -> Json:
    """The reasons why a sync did not end with 0."""
    if not said.out.strip():
        return {"error": said.err[-600:]}
    done = said.json
    return {
        "findings": (done["verify"] or {}).get("findings", [])[:3],
        "failed": (done["apply"] or {}).get("failed", [])[:3],
        "losses": [row for row in done["plan"]["losses"] if not row["accepted"]][:3],
    }


def _plain(one: Agent, target: str, name: str | None = "") -> Json:
    """The content that both sides must have. An assistant without a name gets one where the name is the
    address."""
    named = one.name if name is not None and (one.name or target != "foundry") else None
    return {"name": named, "said": one.said, "metadata": one.metadata, "tools": len(one.tools)}


def held(made: World) -> dict[tuple[str, str], Json]:
    """Every body on the target, by table and id."""
    estate = made.target.estate
    rows = {(name, id_): row for name in TABLES for id_, row in getattr(estate, name).items()}
    for name in INNER:
        for parent, table in getattr(estate, name).items():
            rows |= {(f"{name} of {parent}", id_): row for id_, row in table.items()}
    return deepcopy(rows)
