"""Results of `export`: a config directory, or a file for Terraform."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from migrate.model.results.plan import LossRow


@dataclass
class ExportResult:
    """What was written, left as it was, and removed, by paths in the directory; what was left out."""

    folder: Path
    environment: str = ""
    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    removed: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class TerraformAgents:
    """What was written: `resources` by name of the agent, `secrets` and `wanted`: variables to be given.
    `normalized`: fields whose text Terraform changes, `replaced`: those with halves of character pairs, which
    have no form there; both as NAME: PATH."""

    text: str = ""
    resources: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    normalized: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TerraformExport:
    """The text, and what a reader must know beside it."""

    agents: TerraformAgents
    losses: tuple[LossRow, ...] = ()
