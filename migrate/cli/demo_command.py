"""demo: the whole flow on the bundled fixtures, between two emulated regions."""

from __future__ import annotations

import os
from pathlib import Path

import click

from migrate.cli.options import Common, common, finish

CONFIG = """# Two emulated regions, as they were while the demo ran.
[estates.east]
type = "azure-openai"
endpoint = "{east}"
api_version = "2025-04-01-preview"
key_env = "DEMO_EAST_KEY"

[estates.west]
type = "azure-openai"
endpoint = "{west}"
api_version = "2025-04-01-preview"
key_env = "DEMO_WEST_KEY"

[models]
"gpt-4-1106-preview" = "gpt-4.1"
"""


@click.command("demo")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"),
              show_default=True, help="Where archive, plan and report are left.")  # fmt: skip
@common
def command(common: Common, folder: Path) -> None:
    """Snapshot an emulated region, diff it with an empty one, plan, apply, verify. Needs no account."""
    from migrate.cli.demonstration import Demonstration
    from migrate.emulator import Emulator, Options

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("estate.db", "estate.db-wal", "estate.db-shm", "plan.json", "report.txt"):
        (folder / name).unlink(missing_ok=True)
    keys = {"DEMO_EAST_KEY": "demo-east", "DEMO_WEST_KEY": "demo-west"}
    os.environ.update(keys)
    east = Options(face="azure-openai", key=keys["DEMO_EAST_KEY"], state=fixtures() / "azure-v2")
    west = Options(face="azure-openai", key=keys["DEMO_WEST_KEY"])
    with Emulator(east) as source, Emulator(west) as target:
        config = folder / "estates.toml"
        config.write_text(CONFIG.format(east=source.url, west=target.url), encoding="utf-8")
        finish(Demonstration(folder, config, common).run())


def fixtures() -> Path:
    """The bundled estates: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parents[1]
    inside = package / "fixtures_data"
    return inside if inside.is_dir() else package.parent / "fixtures"
