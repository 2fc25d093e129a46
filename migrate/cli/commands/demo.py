"""demo: the whole flow on the bundled fixtures, between two emulated regions."""

from __future__ import annotations

import os
from pathlib import Path

import click

from migrate.cli.options import Common, common, finish

CONFIG = """# Two emulated regions and a Foundry project, as they were while the demo ran.
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

[estates.project]
type = "foundry"
endpoint = "{project}"
auth = "token"
token_env = "DEMO_PROJECT_TOKEN"

[models]
"gpt-4-1106-preview" = "gpt-4.1"
"""


DEPLOYMENTS = ("gpt-4.1", "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini")
LEFT = ("estate.db", "estate.db-wal", "estate.db-shm", "plan.json", "plan-foundry.json", "report.txt")


@click.command("demo")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"),
              show_default=True, help="Where archive, plan and report are left.")  # fmt: skip
@common
def command(common: Common, folder: Path) -> None:
    """Move an emulated region to another one and to a Foundry project, with proof. Needs no account."""
    from migrate.cli.demonstration import Demonstration
    from migrate.emulator import Emulator, Options
    from migrate.files.output import told, write_text

    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in LEFT:
            (folder / name).unlink(missing_ok=True)
    keys = {name: name.lower() for name in ("DEMO_EAST_KEY", "DEMO_WEST_KEY", "DEMO_PROJECT_TOKEN")}
    os.environ.update(keys)
    east = Options(face="azure-openai", key=keys["DEMO_EAST_KEY"], state=fixtures() / "azure-v2")
    west = Options(face="azure-openai", key=keys["DEMO_WEST_KEY"])
    new = Options(face="foundry", key=keys["DEMO_PROJECT_TOKEN"], deployments=DEPLOYMENTS)
    with Emulator(east) as source, Emulator(west) as target, Emulator(new) as project:
        config = folder / "estates.toml"
        text = CONFIG.format(east=source.url, west=target.url, project=project.url)
        write_text(config, [text])
        finish(Demonstration(folder, config, common).run())


def fixtures() -> Path:
    """The bundled estates: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parents[2]
    inside = package / "fixtures_data"
    return inside if inside.is_dir() else package.parent / "fixtures"
