"""Random selections of generated estates: the plan has exactly what they mean, as computed here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.e2e.generated_estate import DAY_S, EstateGenerator
from tests.e2e.projects import EPOCH
from tests.e2e.rounds import service
from tests.e2e.running import World, world
from tests.e2e.small_estate import restore_state, saved_state

Json = dict[str, Any]
Rule = tuple[str, str]
ROUTES = (("azure-openai", "openai"), ("openai", "foundry-classic"), ("foundry-classic", "foundry"),
          ("foundry", "foundry"))  # fmt: skip
KINDS = ("file", "vector_store", "assistant", "thread")
TABLES = {
    "files": "file",
    "vector_stores": "vector_store",
    "assistants": "assistant",
    "agents": "assistant",
    "threads": "thread",
    "conversations": "thread",
}
BELOW = ("vector_store_files", "messages", "items", "agent_versions")
SEED = 18
DAYS = [datetime.fromtimestamp(EPOCH + n * DAY_S, timezone.utc).date().isoformat() for n in range(-1, 10)]
PAIRS = [("team", "red"), ("team", "*e*"), ("user", "47*"), ("user", "?815"), ("nobody", "*")]


@dataclass(frozen=True)
class Object:
    """An object that can be selected. `text`: the JSON of it and of what is below it. `time`: of a thread."""

    kind: str
    id: str
    name: str
    metadata: Json
    text: str
    time: int = 0


@dataclass(frozen=True)
class Options:
    """A selection as it is typed. `after`, `before`: dates or ''."""

    include: tuple[Rule, ...]
    ids: tuple[str, ...]
    exclude: tuple[Rule, ...]
    meta: tuple[tuple[str, str], ...]
    after: str
    before: str
    dependencies: bool

    @property
    def is_whole(self) -> bool:
        return not (self.include or self.ids or self.exclude or self.meta or self.after or self.before)

    def arguments(self) -> Iterator[str]:
        for name, rules in (("--include", self.include), ("--exclude", self.exclude)):
            for kind, pattern in rules:
                yield from (name, f"{kind}:{pattern}")
        for id_ in self.ids:
            yield from ("--id", id_)
        for key, pattern in self.meta:
            yield from ("--meta", f"{key}={pattern}")
        for name, date in (("--after", self.after), ("--before", self.before)):
            yield from (name, date) if date else ()
        if not self.dependencies:
            yield "--no-dependencies"


def objects_of(made: World) -> list[Object]:
    """Every object that can be selected. A thread has the time of its newest message, a conversation its
    own."""
    estate, found = made.source.estate, []
    for table, kind in TABLES.items():
        for id_, row in getattr(estate, table).items():
            below = [dict(getattr(estate, name).get(id_, {})) for name in BELOW]
            owner = row["versions"]["latest"] if table == "agents" else row
            messages = estate.messages.get(id_, {}).values() if table == "threads" else ()
            time = max((message["created_at"] for message in messages), default=row.get("created_at", 0))
            name = row.get("name") or row.get("filename") or ""
            text = json.dumps([row, *below])
            found.append(Object(kind, id_, name, owner.get("metadata") or {}, text, time))
    return found


def matches(pattern: str, text: str) -> bool:
    """Whether a text has the form of a pattern with `*` and `?`."""
    parts = {"*": ".*", "?": "."}
    return bool(re.fullmatch("".join(parts.get(c, re.escape(c)) for c in pattern), text, re.DOTALL))


def fits(rules: tuple[Rule, ...], it: Object) -> bool:
    names = [name for name in (it.id, it.name) if name]
    return any(kind == it.kind and any(matches(pattern, name) for name in names) for kind, pattern in rules)


def seconds(date: str) -> float:
    return datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp()


def chosen(objects: list[Object], options: Options) -> set[str]:
    """What was asked for, as docs/selection.md says it."""
    return {it.id for it in objects if is_asked_for(it, options) and not fits(options.exclude, it)}


def is_asked_for(it: Object, options: Options) -> bool:
    """Whether an object is asked for, before exclusions."""
    if options.include or options.ids:
        is_called = any(it.id.startswith(text) or it.name == text for text in options.ids)
        if not (is_called or fits(options.include, it)):
            return False
    elif (it.kind != "thread" and (options.after or options.before)) or (it.kind == "file" and options.meta):
        return False
    pairs = options.meta if it.kind != "file" else ()
    if not all(key in it.metadata and matches(value, it.metadata[key]) for key, value in pairs):
        return False
    is_late = not options.after or it.time >= seconds(options.after)
    is_early = not options.before or it.time < seconds(options.before)
    return it.kind != "thread" or (is_late and is_early)


def closure(objects: list[Object], ids: set[str], options: Options) -> set[str]:
    """These and what they name, found by a search for every id in the text; without what is excluded."""
    by_id = {it.id: it for it in objects}
    found, waiting = set(ids), list(ids) if options.dependencies else []
    while waiting:
        text = by_id[waiting.pop()].text
        named = [it for it in objects if it.kind != "thread" and f'"{it.id}"' in text]
        more = [it.id for it in named if it.id not in found and not fits(options.exclude, it)]
        found.update(more)
        waiting += more
    return found


def rules_about(objects: list[Object]) -> list[Rule]:
    """Rules by whole names and ids, and by patterns; some fit nothing."""
    rules = [(kind, pattern) for kind in KINDS for pattern in ("*", "*e*", "nothing*")]
    for it in objects:
        patterns = {f"{it.id[:9]}*", it.id, it.name, f"{it.name[:2]}*", f"?{it.name[1:]}"}
        rules += [(it.kind, pattern) for pattern in sorted(patterns - {"", "?"})]
    return rules


def selections(objects: list[Object]) -> st.SearchStrategy[Options]:
    """Any options; ids are given whole, by a name that one object has, or by a beginning."""
    names = [it.name for it in objects]
    texts = {it.id for it in objects} | {it.name for it in objects if names.count(it.name) == 1 and it.name}
    texts |= {it.id[:12] for it in objects if sum(o.id.startswith(it.id[:12]) for o in objects) == 1}
    rules = st.sampled_from(rules_about(objects))
    date = st.sampled_from(["", *DAYS])
    dates = st.tuples(date, date).filter(lambda pair: not all(pair) or pair[0] < pair[1])
    return st.builds(
        lambda include, ids, exclude, meta, dates, dependencies: Options(
            tuple(include), tuple(ids), tuple(exclude), tuple(meta), *dates, dependencies
        ),
        st.just([]) | st.lists(rules, max_size=2),
        st.just([]) | st.lists(st.sampled_from(sorted(texts)), max_size=2, unique=True),
        st.just([]) | st.lists(rules, max_size=2),
        st.just([]) | st.lists(st.sampled_from(PAIRS), max_size=2, unique=True),
        st.just(("", "")) | dates,
        st.sampled_from([True, True, True, False]),
    ).filter(lambda options: not options.is_whole)


@pytest.fixture(scope="module", params=ROUTES, ids=" to ".join)
def moved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A complete snapshot of a generated estate, and an empty target."""
    source, target = request.param
    ends = service("SOURCE_KEY", source), service("TARGET_KEY", target)
    with world(tmp_path_factory.mktemp("selection"), *ends, types=request.param) as made:
        EstateGenerator(made.source, source, SEED).fill()
        made.snapshot()
        yield made


def test_random_selections_move_what_they_mean(moved: World) -> None:
    objects, empty = objects_of(moved), saved_state(moved.target.estate)

    @settings(phases=(Phase.generate,))  # a failure is small as it is, and each further example takes long
    @given(selections(objects))
    def holds(options: Options) -> None:
        restore_state(moved.target.estate, empty)
        Path(moved.plan).unlink(missing_ok=True)
        ids = chosen(objects, options)
        said = moved(
            "plan", moved.db, "target", "-o", moved.plan, "--accept-loss", "all", *options.arguments()
        )
        if not ids:
            said.error(1, "nothing in snapshot 1 matches")
            assert not Path(moved.plan).exists()
            return
        plan, expected = said.ok(), closure(objects, ids, options)
        rows = json.loads(Path(moved.plan).read_text(encoding="utf-8"))["actions"]
        assert {row["id"] for row in rows if row["kind"] in KINDS} == expected
        assert {row["id"] for row in plan["needed"]} == expected - ids
        assert moved("apply", moved.plan, "--yes").ok()["failed"] == []
        assert moved("verify", moved.plan).ok()["findings"] == []

    holds()
