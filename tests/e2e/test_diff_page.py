"""docs/diff.md shows the real output: its example is run and the output is compared."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from migrate.model import retirements
from migrate.stages.diff import ignore_rules
from migrate.stages.diff.ignore_rules import read_ignore_rules
from tests.e2e.conftest import Launch
from tests.e2e.running import ROOT, options

PAGE = (ROOT / "docs/diff.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```text\n\$ assistants-migrate (diff .+)\n((?:.*\n)+?)```", PAGE)
RULES = PAGE.split("```toml\n")[1].split("```")[0]


def without_new_ids(text: str) -> list[str]:
    """Replace ids, which the emulated service generates anew each time."""
    return re.sub(r"(-> |on the right: .*\[)asst_\w+]", r"\1asst_]", text).strip().splitlines()


class Written(date):
    """A clock that shows the day on which the page was written."""

    @classmethod
    def today(cls) -> date:
        return date(2026, 12, 1)


def test_the_page_shows_real_output(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignore_rules, "date", Written)
    monkeypatch.setattr(retirements, "today", Written.today)
    world = launch(options("SOURCE_KEY", "azure-v2", downloads=True, list_threads="works"))
    world.configure(models={"gpt-4-1106-preview": "gpt-4.1"})
    text = world.config.read_text().replace("[estates.target]", "[estates.west]")
    world.config.write_text(text, encoding="utf-8")
    world.snapshot()
    world("plan", world.db, "west", "-o", world.plan, "--accept-loss", "all").ok()
    world.apply().ok()
    by_name = {row["name"]: row for row in world.target.estate.assistants.values()}
    parser, desk = by_name["Address Parser"], by_name["Order Desk"]
    parser["instructions"] = parser["instructions"].replace("postcode", "zip code")
    parser["metadata"] = {**parser["metadata"], "owner": "data team"}
    desk["tools"][0]["function"]["description"] = "Looks up one order"
    desk["temperature"] = 0.2
    monkeypatch.chdir(world.folder)
    Path("ignore.toml").write_text(RULES, encoding="utf-8")
    assert len(SHOWN) == 2
    for command, shown in SHOWN:
        said = world.plain(*command.split(), "--quiet")
        assert said.code == 1
        assert without_new_ids(said.out) == without_new_ids(shown)


def test_the_rules_on_the_page_are_rules(tmp_path: Path) -> None:
    file = tmp_path / "ignore.toml"
    file.write_text(RULES, encoding="utf-8")
    assert [rule.table.path for rule in read_ignore_rules(file)] == [
        "temperature",
        "metadata.owner",
        "tools[function:*].function.description",
    ]
