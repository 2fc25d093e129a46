"""Runs the cases in this process and checks them: a documented exit code, and no traceback."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from migrate import cli
from migrate.archive import Archive
from migrate.stages.plan.plan_file import write_plan as write_plan
from tests.archive.filling import filled
from tests.fuzz.inputs import case

EXPECTED = frozenset({0, 1, 2, 3, 4, 5})


@dataclass
class Outcome:
    """Number of cases by origin and by exit code, and a text for each wrong one."""

    ran: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def prepared(folder: Path) -> dict[str, bytes]:
    """A valid archive and plan, as bytes, from which cases are made."""
    from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
    from migrate.stages.estate import Estate
    from migrate.stages.plan.options import PlanOptions
    from migrate.stages.plan.run import plan_without_target

    archive = folder / "a.db"
    filled(archive)
    with Archive.open(archive) as opened:
        estate = Estate(SnapshotReader(opened.conn, list_snapshots(opened.conn)[-1]))
        plan = plan_without_target("openai", estate, PlanOptions())
    source = plan.source.model_copy(update={"archive": str(archive)})
    target = plan.target.model_copy(
        update={"estate": "openai+http://127.0.0.1:1", "url": "http://127.0.0.1:1"}
    )
    write_plan(plan.model_copy(update={"source": source, "target": target}).sealed(), folder / "plan.json")
    return {name: (folder / name).read_bytes() for name in ("a.db", "plan.json")}


def run(seeds: Iterable[int]) -> Outcome:
    """Run every case, each in its own folder."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as first:
        known = prepared(Path(first))
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                _one(seed, known, Path(folder), outcome)
    return outcome


def _one(seed: int, known: dict[str, bytes], folder: Path, outcome: Outcome) -> None:
    source, made = case(seed, known, folder)
    for name, data in {"a.db": known["a.db"], **made.files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    code, err = called(made.arguments, folder)
    outcome.ran[source] += 1
    outcome.codes[code] += 1
    if code not in EXPECTED or "Traceback" in err:
        outcome.wrong.append(f"seed {seed} ({source}): {made.arguments!a}: exit {code}\n{err[-3000:]}")


def called(arguments: list[str], folder: Path) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(folder)  # a name such as `x` must not be made in the checkout
    environment = {"FUZZ_KEY": "a-key-of-the-fuzzer", "OPENAI_API_KEY": "a-key-of-the-fuzzer"}
    try:
        with (
            patch.dict(os.environ, environment),
            patch.object(sys, "argv", ["assistants-migrate", *arguments]),
            patch.object(sys, "stdin", io.StringIO("")),
            patch("time.sleep", lambda _: None),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                cli.main()
                return 0, err.getvalue()
            except SystemExit as done:
                return int(done.code or 0), err.getvalue()
            except BaseException:
                return -1, traceback.format_exc()
    finally:
        os.chdir(before)
