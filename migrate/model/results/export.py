"""Results of `export`: a config directory, or a file for Terraform."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from migrate.model.results.plan import LossRow


@dataclass
class ExportResult:
    """Paths in the directory that were written and removed, and what was left out."""

    folder: Path
    environment: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    removed: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class TerraformAgents:
    """A Terraform file.

    `resources`: agent name -> resource name. `secrets`, `required_variables`: variables without a value.
    `normalized`: fields whose text Terraform changes. `replaced`: fields with half of a surrogate pair, which
    Terraform cannot represent. Both as NAME: PATH.
    """

    text: str = ""
    resources: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    required_variables: list[str] = field(default_factory=list)
    normalized: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TerraformExport:
    """The Terraform file, and what is lost in it."""

    agents: TerraformAgents
    losses: tuple[LossRow, ...] = ()
