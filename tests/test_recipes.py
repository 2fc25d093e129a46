"""Recipes can be parsed: YAML, shell, calls of the program; and no value is pasted into a script."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from migrate.cli import program
from tests.recipes import PAGES, ROOT, STEP, Block, blocks, calls, script, scripts, steps

INDEX = ROOT / "docs/recipes.md"
YAMLS = [block for page in PAGES for block in blocks(page) if block.language == "yaml"]
UNITS = [block for page in PAGES for block in blocks(page) if block.language == "ini"]
RECIPES = [page for page in PAGES if page != INDEX]
# Expressions that a CI system replaces before the shell runs.
PASTED = re.compile(r"\$\{\{|\$\(\w+\.[\w.]+\)|\$\[")

each_page = pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)


def test_every_recipe_is_in_the_index_and_the_readme() -> None:
    index = INDEX.read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in RECIPES:
        assert f"(recipes/{page.name})" in index
        assert f"(docs/recipes/{page.name})" in readme


def test_only_known_languages_are_used() -> None:
    found = {block.language for page in PAGES for block in blocks(page)}
    assert found == {"bash", "sh", "yaml", "toml", "text", "ini", "sql"}


@pytest.mark.parametrize("block", YAMLS, ids=lambda block: block.page)
def test_a_workflow_can_be_read_and_has_steps_with_scripts(block: Block) -> None:
    document = yaml.safe_load(block.text)
    found = list(steps(document))
    assert len(found) > 3
    assert any(script(step) for step in found)
    for step in found:
        assert len(STEP & step.keys()) == 1


@pytest.mark.parametrize("block", YAMLS, ids=lambda block: block.page)
def test_no_value_is_pasted_into_a_script(block: Block) -> None:
    for step in steps(yaml.safe_load(block.text)):
        assert not PASTED.search(script(step)), script(step)


@pytest.mark.parametrize("page", ["github.md", "promotion.md"])
def test_a_workflow_asks_for_no_right_it_does_not_name(page: str) -> None:
    (document,) = [yaml.safe_load(block.text) for block in YAMLS if block.page == page]
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        rights = job["permissions"]
        assert not ("id-token" in rights and set(rights) - {"id-token", "contents"})
        assert rights.get("contents", "read") == "read"
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
    # PyYAML reads the key `on` as true.
    assert "pull_request_target" not in document[True]


@each_page
def test_every_script_is_shell(page: Path) -> None:
    found = scripts(page)
    assert found
    for text in found:
        done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
        assert done.returncode == 0, f"{done.stderr}\n{text}"
        for inner in re.findall(r"<<'(\w+)'\n(.*?)\n\1\n", text, re.DOTALL):
            done = subprocess.run(["bash", "-n"], input=inner[1], text=True, capture_output=True)
            assert done.returncode == 0, f"{done.stderr}\n{inner[1]}"


@each_page
def test_every_call_is_one_that_the_program_takes(page: Path) -> None:
    found = [call for text in scripts(page) for call in calls(text)]
    assert found
    for name, *words in found:
        command = program.get_command(click.Context(program), name)
        assert command is not None, name
        # With the program's own settings: a command keeps the help option of its first context.
        context = click.Context(command, help_option_names=program.context_settings["help_option_names"])
        values, rest, _ = command.make_parser(context).parse_args(list(words))
        assert not rest, f"{name} does not take {rest}"
        for parameter in command.params:
            value = values.get(parameter.name or "")
            if parameter.required:
                assert value, f"{name} lacks {parameter.name}: {words}"
            if isinstance(parameter.type, click.Choice) and isinstance(value, (str, list)):
                for one in [value] if isinstance(value, str) else value:
                    parameter.type.convert(one, parameter, context)


@pytest.mark.parametrize("block", UNITS, ids=range(len(UNITS)))
def test_units_of_systemd_can_be_read(block: Block) -> None:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block.text)
    assert "Unit" in unit
    assert unit.has_option("Service", "ExecStart") or unit.has_option("Timer", "OnCalendar")
