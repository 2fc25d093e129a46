"""The documentation agrees with the program: commands, exit codes, limits, links and SQL."""

from __future__ import annotations

import ast
import inspect
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from migrate import errors
from migrate.archive.packs import register_sql_functions
from migrate.cli import COMMANDS, program
from migrate.cli.config import parse_config
from migrate.codecs import CODECS, Target
from migrate.codecs.capabilities import Capabilities
from migrate.codecs.foundry.adapt_message import ASSISTANT_PART_RULES, USER_PART_RULES
from migrate.codecs.foundry.items import CALL_KEYS
from migrate.codecs.foundry.tools import TOOL_ROWS, TOOLS_WITHOUT_COUNTERPART
from migrate.emulator import Emulator, Options
from migrate.model import KINDS, Kind
from migrate.model.normalize import FIELD_RULES
from migrate.stages.diff.ignore_rules import IgnoreRuleTable
from tests.e2e.program_server import program_command
from tools.docs.cli_reference import reference
from tools.docs.examples import BARE, EXAMPLES
from tools.docs.examples.equivalents import EQUAL, Pair
from tools.docs.support_matrix.about_projects import SURE
from tools.docs.support_matrix.limits import LIMITS, MARKS
from tools.docs.support_matrix.outcomes import SERVICES, outcomes
from tools.docs.support_matrix.page import SECTIONS, page

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ARCHIVE = (ROOT / "docs/archive.md").read_text(encoding="utf-8")
MATRIX = (ROOT / "docs/support-matrix.md").read_text(encoding="utf-8")
LEAVING = (ROOT / "docs/leave-assistants.md").read_text(encoding="utf-8")
SQL = re.findall(r"```sql\n(.+?)```", ARCHIVE, re.DOTALL)

MAX_README_WORDS = 1500
MAX_PICTURE_BYTES = 200_000
NOT_PROSE = {"cli.md", "support-matrix.md", "architecture.md"}  # two are written by the program
STANDARD_TERMS = {
    "told": "reported",
    "tells": "reports, shows",
    "ways? out": "what you can do",
    "anew": "recreated, again",
    "mend(ed)?": "fix",
    "by its documents": "according to Microsoft's documentation",
    "to the letter": "exactly",
    "in earnest": "on a real service",
    "twins?": "duplicate",
    "whoever": "everyone who",
    "strangers?": "other users",
    "once more": "again",
}
OTHER_CODES = {0, 1}  # these are results, not failures


def rows(text: str) -> Iterator[list[str]]:
    """The rows of every table below their heads, cell by cell."""
    lines = text.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("|") and not line.startswith("|--") and not after.startswith("|--"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def under(text: str, heading: str) -> str:
    """The part of a page below a heading."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"no heading {heading!r}"
    return found[1]


def test_the_reference_is_the_help_of_the_program() -> None:
    written = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert written == reference(), "run: make docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    text = under((ROOT / "docs/cli.md").read_text(encoding="utf-8"), name)
    command = program.get_command(click.Context(program), name)
    assert command is not None
    for parameter in command.params:
        spellings = (
            parameter.opts if isinstance(parameter, click.Option) else [(parameter.name or "").upper()]
        )
        assert all(spelling in text for spelling in spellings)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_names_every_command(name: str) -> None:
    assert re.search(rf"(`{name}`|assistants-migrate {name}\b)", README)


def test_the_readme_is_short() -> None:
    assert len(README.split()) < MAX_README_WORDS


def test_the_pictures_of_the_readme_are_small_and_ask_no_other_host() -> None:
    pictures = [ROOT / source for source in re.findall(r'<img src="([^"]+)"', README)]
    assert {picture.suffix for picture in pictures} == {".png", ".svg"}
    for picture in pictures:
        assert picture.stat().st_size < MAX_PICTURE_BYTES
        if picture.suffix == ".svg":
            text = re.sub(r' xmlns="[^"]*"|<text[^>]*>[^<]*</text>', "", picture.read_text(encoding="utf-8"))
            assert not re.search(r"//|@import|@font-face|href|<script", text)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in NOT_PROSE], ids=lambda page: page.name
)
def test_the_prose_uses_standard_terms(page: Path) -> None:
    prose = re.sub(
        r"```.*?```|`[^`]*`|^    .*?$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    assert not [word for word in STANDARD_TERMS if re.search(rf"\b{word}\b", prose)], STANDARD_TERMS


def test_the_readme_names_the_two_words_of_make() -> None:
    assert "make demo" in README
    assert "make test" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_shows_a_command_or_option_that_does_not_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, rest in re.findall(r"assistants-migrate ([a-z]+)(.*)", text):
        command = program.get_command(click.Context(program), name)
        assert command is not None, name
        known = {spelling for p in command.params for spelling in (*p.opts, *p.secondary_opts)}
        given = set(re.findall(r"(?<!\S)--?[a-z-]+", re.split(r"  | [|&;>]", rest)[0]))
        assert given <= known


SCALE = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
MANIFESTS = re.findall(r"```yaml\n(.+?)```", SCALE, re.DOTALL)


def test_the_indexed_job_reads_every_shard_and_the_merge_job_joins_them(tmp_path: Path) -> None:
    shards, merge = yaml.safe_load_all(MANIFESTS[0])
    number = shards["spec"]["completions"]
    assert shards["spec"]["completionMode"] == "Indexed"
    local, shared = tmp_path / "local", tmp_path / "shared"
    shared.mkdir()
    options = Options(service="azure-openai", key="k", state=ROOT / "fixtures/azure-v2", list_threads="works")
    with Emulator(options) as cloud:
        config = tmp_path / "estates.toml"
        config.write_text(
            f"[estates.east]\ntype = 'azure-openai'\nendpoint = '{cloud.url}'\nkey_env = 'EAST_KEY'"
        )
        for index in range(number):
            local = tmp_path / f"local{index}"
            done = _task(shards, local, shared, config, JOB_COMPLETION_INDEX=str(index))
            assert done.returncode == 0, done.stderr
        assert len(list(shared.glob("*.db"))) == number
        done = _task(merge, tmp_path / "local", shared, config)
        assert done.returncode in (0, 3), done.stderr
        assert f"of {number} shards" in done.stdout
        assert "missing: shard" not in done.stdout
    assert (shared / "all.db").exists()


def _task(job: Any, local: Path, shared: Path, config: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The script of a job's only container, run by a shell as the container would."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {row["name"]: row.get("value", "k") for row in container["env"]}
    places = {"LOCAL": str(local), "SHARED": str(shared), "ASSISTANTS_MIGRATE_CONFIG": str(config)}
    local.mkdir()
    program = local / "assistants-migrate"
    program.write_text(f'#!/bin/sh\nexec {program_command()} "$@"\n')
    program.chmod(0o755)
    path = f"{local}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*container["command"], *container["args"]], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, **given, **places, **env, "PATH": path},
    )  # fmt: skip


def test_the_matrix_has_every_shard_once() -> None:
    (flow,) = yaml.safe_load_all(MANIFESTS[1])
    shards = flow["jobs"]["shard"]["strategy"]["matrix"]["shard"]
    assert shards == list(range(1, len(shards) + 1))
    (call,) = [step["run"] for step in flow["jobs"]["shard"]["steps"] if "snapshot" in step.get("run", "")]
    assert f'--shard "$K/{len(shards)}"' in call
    assert flow["jobs"]["merge"]["needs"] == "shard"


def test_the_arithmetic_of_scale_is_right() -> None:
    units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
    table = [row for row in rows(under(SCALE, "Limits of the service")) if "million" in row[0]]
    assert len(table) == 6
    for row in table:
        requests = int(row[0].split()[0]) * 1_000_000 // 100 * (1 if row[1] == "long" else 20)
        assert int(row[2].replace(",", "")) == requests
        for cell, rate in zip(row[3:], (60, 600, 1800, 36000), strict=True):
            number, unit = cell.split()
            assert float(number) * units[unit] == pytest.approx(requests * 60 / rate, rel=0.05)


def test_the_exit_codes_are_those_of_the_errors() -> None:
    codes = {int(row[0]) for row in rows(under(README, "Exit codes")) if row[0].isdigit()}
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.MigrateError)]
    assert codes == OTHER_CODES | {c.exit_code for c in classes}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The archive of the demo: a snapshot, bytes, and the journal of an apply."""
    folder = tmp_path_factory.mktemp("docs")
    call = [sys.executable, "-m", "migrate", "demo", "--dir", str(folder), "--quiet"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    conn = sqlite3.connect(folder / "estate.db")
    exec(under(ARCHIVE, "From Python").split("```python\n")[1].split("```")[0], {"conn": conn})
    yield conn
    conn.close()


@pytest.mark.slow
@pytest.mark.parametrize("sql", SQL, ids=range(len(SQL)))
def test_the_sql_examples_run_and_answer(archive: sqlite3.Connection, sql: str) -> None:
    answer = archive.execute(sql).fetchall()
    assert answer or "FROM missing" in sql


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The database of an application, and an archive whose threads were moved to a project."""
    folder = tmp_path_factory.mktemp("leaving")
    options = Options(service="foundry", key="emulator", state=ROOT / "fixtures/foundry-classic")
    with pytest.MonkeyPatch.context() as patch, Emulator(options) as cloud:
        patch.chdir(folder)
        patch.setenv("FOUNDRY_TOKEN", "emulator")
        types = {"old": "foundry-classic", "new": "foundry"}
        lines = (
            f"[estates.{name}]\ntype = '{type_}'\nendpoint = '{cloud.url}'" for name, type_ in types.items()
        )
        Path("estates.toml").write_text("\n".join(lines), encoding="utf-8")
        for call in (
            "snapshot old -o estate.db",
            "plan estate.db new -o plan.json --accept-loss all",
            "apply plan.json --yes",
            "snapshot new -o estate.db --tag moved",
        ):
            assert program.main([*call.split(), "--quiet"], standalone_mode=False) in (None, 0, 3)
        conn = sqlite3.connect("file:app.db", uri=True)
        register_sql_functions(conn)
        conn.execute("CREATE TABLE chats (customer TEXT, thread_id TEXT, assistant_id TEXT)")
        conn.execute("INSERT INTO chats VALUES ('Ada', 'thread_forgotten', 'asst_forgotten')")
        yield conn
        conn.close()


def test_the_sql_of_leaving_runs_and_answers(application: sqlite3.Connection) -> None:
    for sql in re.findall(r"```sql\n(.+?)```", LEAVING, re.DOTALL):
        answer = application.execute(sql).fetchall()
        assert answer or not sql.startswith("SELECT"), sql
        if sql.startswith("ATTACH"):
            application.execute(
                "INSERT INTO chats SELECT 'Bob', thread.id, assistant.id "
                "FROM archive.threads AS thread, archive.assistants AS assistant WHERE thread.snapshot = 1"
            )
    told = application.execute("SELECT customer, conversation_id IS NULL FROM chats GROUP BY 1, 2").fetchall()
    assert told == [("Ada", 1), ("Bob", 0)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_in_python_and_toml_can_be_read(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.+?)```", text, re.DOTALL):
        ast.parse(code)
    for config in re.findall(r"```toml\n(.+?)```", text, re.DOTALL):
        data = tomllib.loads(config)
        if "ignore" in data:  # ignore rules, not a config file
            assert all(IgnoreRuleTable.model_validate(row) for row in data["ignore"])
        else:
            parse_config(data, page)


def test_the_views_have_the_columns_that_are_written_down(archive: sqlite3.Connection) -> None:
    present = {
        name: {column for _, column, *_ in archive.execute(f"PRAGMA table_info({name})")}
        for (name,) in archive.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
    }
    id_map, read_me = present.pop("id_map"), present.pop("read_me")
    inner = {name: present.pop(name) for name in ("scopes", "bodies")}
    assert {row[0].strip("`") for row in rows(under(ARCHIVE, "Tables"))} >= inner.keys()
    told = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in rows(under(ARCHIVE, "Views"))}
    shared = {"snapshot", "id", "ordinal", "body"}
    times = {
        name: {f"{column}_iso" for column in columns if column.endswith("_at")}
        for name, columns in told.items()
    }
    assert {name: told[name] | times[name] | shared for name in told if name in present} == present
    assert all(f"`{column}`" in ARCHIVE for column in (*id_map, *read_me))


def test_every_table_is_written_down(archive: sqlite3.Connection) -> None:
    told = {name for row in rows(under(ARCHIVE, "Tables")) for name in re.findall(r"`(\w+)`", row[0])}
    present = {name for (name,) in archive.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert told - {"scopes", "bodies"} == {name for name in present if not name.startswith("sqlite_")}


def test_the_matrix_is_what_the_codecs_do() -> None:
    assert page() == MATRIX, "run: make docs"


def test_every_limit_is_in_the_matrix_with_how_sure_it_is() -> None:
    known = [field.name for field in fields(Capabilities) if field.name != "service"]
    assert [row[0].strip("`") for row in rows(under(MATRIX, "Limits"))] == known
    for name, limit in LIMITS.items():
        assert name in known
        marks = limit.sure.split()
        assert len(marks) == len(SERVICES)
        assert set(marks) <= set(MARKS)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.replayed], ids=lambda kind: kind.name
)
def test_every_field_has_a_row(kind: Kind) -> None:
    told = {row[0].strip("`") for row in rows(under(MATRIX, kind.plural))}
    elsewhere = {"tools": "Tools", "content": "Parts of a message"}
    assert set(kind.fields) - elsewhere.keys() <= told
    assert all(f"## {heading}\n" in MATRIX for heading in elsewhere.values())


def test_every_field_that_is_only_archived_is_reported() -> None:
    told = {row[0]: row[1] for row in rows(under(MATRIX, "Runs and their steps"))}
    for kind in (kind for kind in KINDS.values() if not kind.replayed):
        assert all(f"`{name}`" in told[kind.name] for name in kind.fields)


def test_every_fact_has_the_reason_of_the_code() -> None:
    told = [tuple(row) for row in rows(under(MATRIX, "Never written"))]
    assert told == [(k.name, f"`{name}`", why) for k in KINDS.values() for name, why in k.facts.items()]


def test_every_tool_has_a_row() -> None:
    told = {row[0].strip("`") for row in rows(under(MATRIX, "Tools"))}
    newer = {row[0].strip("`"): row for row in rows(under(MATRIX, "How they are written for a project"))}
    homeless = {row[0].strip("`") for row in rows(under(MATRIX, "Without a counterpart"))}
    assert told >= {row.old for row in TOOL_ROWS} | set(TOOLS_WITHOUT_COUNTERPART)
    assert told >= set.union(*(set(profile.tool_types) for profile in SERVICES.values()))
    assert {(old, row[1].strip("`"), row[2], row[3]) for old, row in newer.items()} == {
        (row.old, row.new, row.how, SURE[row.old]) for row in TOOL_ROWS
    }
    assert homeless == set(TOOLS_WITHOUT_COUNTERPART)


def test_every_part_of_a_message_has_a_row() -> None:
    told = " ".join(row[0] for row in rows(under(MATRIX, "Parts of a message")))
    assert all(f"`{part}`" in told for part in {*USER_PART_RULES, *ASSISTANT_PART_RULES, "input_file"})
    items = " ".join(row[0] for row in rows(under(MATRIX, "Items that are no messages")))
    assert all(f"`{item}`" in items for item in CALL_KEYS)


def test_every_row_of_the_declared_tables_has_its_certainty() -> None:
    for _, declared in SECTIONS:
        assert all(len(row) == 3 for row in declared)
        assert all(set(MARKS) & set(re.findall(r"[A-Z?-]", row[2])) for row in declared)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", BARE)
def test_the_minimal_object_of_each_kind_is_accepted_by_every_service(kind: str, service: str) -> None:
    entity = BARE[kind]
    target = Target(SERVICES[service], source_type=service, names={entity.id: entity.name})
    assert CODECS[service].adapt(entity, target)[1] == []


def test_an_example_of_every_grade_is_found() -> None:
    found = {outcome.grade for example in EXAMPLES for outcome in outcomes(example).values()}
    assert found == {"copied", "default", "in place", "adapted", "lost", "blocked"}


@pytest.mark.parametrize("pair", EQUAL, ids=lambda pair: f"{pair.field} {pair.title}")
def test_equal_spellings_are_equal_and_differ_as_written(pair: Pair) -> None:
    assert pair.left != pair.right
    assert pair.is_equal


def test_every_rule_of_comparing_has_a_pair_of_spellings() -> None:
    shown = {(kind, pair.field) for pair in EQUAL for kind in ("*", pair.kind)}
    assert set(FIELD_RULES) <= shown


NAMED_PATH = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.py)`")


def test_every_file_that_the_docs_name_exists() -> None:
    """A page may leave `migrate/` out."""
    named = {
        (page.name, path)
        for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
        for path in NAMED_PATH.findall(page.read_text(encoding="utf-8"))
    }
    assert ("architecture.md", "stages/plan/run.py") in named
    lost = [
        f"{page}: {path}"
        for page, path in sorted(named)
        if not (ROOT / path).exists() and not (ROOT / "migrate" / path).exists()
    ]
    assert not lost


def test_the_examples_of_help_fit_a_terminal_of_80_columns() -> None:
    lines = [line for line in reference().splitlines() if line.startswith("    assistants-migrate ")]
    assert len(lines) > 10
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_examples_that_can_be_parsed(name: str) -> None:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    text = inspect.cleandoc(command.help or "")  # Python 3.13 removes the indentation itself
    lines = [line for line in text.splitlines() if line.startswith("  assistants-migrate ")]
    assert 2 <= len(lines) <= 4
    for line in lines:
        _, command_name, *arguments = shlex.split(line)
        shown = program.get_command(
            click.Context(program), command_name
        )  # that of what comes next may follow
        assert shown is not None
        options, _, _ = shown.make_parser(click.Context(shown)).parse_args(arguments)
        missing = [param.name for param in shown.params if param.required and not options.get(param.name)]
        assert not missing, line
