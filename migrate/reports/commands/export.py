"""Results of `export`, a config directory or a Terraform file, as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from migrate.model.entity import JSON
from migrate.reports.text_table import shorten

if TYPE_CHECKING:
    from migrate.model.results.export import ExportResult, TerraformExport

# Paths that the text lists; JSON has all of them.
MAX_PATHS_SHOWN = 20


def export_document(result: ExportResult) -> dict[str, JSON]:
    """The JSON document of an export to a config directory."""
    document = asdict(result)
    return {"directory": str(document.pop("folder")), **document}


def export_text(result: ExportResult) -> str:
    """Counts, what was written and removed, and what was left out."""
    environment = f", environment {result.environment}" if result.environment else ""
    lines = [f"{result.folder}: {_kind_counts(result.counts)}{environment}"]
    lines += _path_lines("wrote", result.written) + _path_lines("removed", result.removed)
    if result.unchanged:
        lines.append(f"{result.unchanged:,} files are as they were")
    if result.left_out:
        others = " or that belong to another environment" if result.environment else ""
        lines.append(f"left out: {_kind_counts(result.left_out)} that no assistant uses{others}")
    return "\n".join([*lines, *result.notes])


def _kind_counts(counts: Mapping[str, int]) -> str:
    words = [
        f"{number:,} {kind.replace('_', ' ')}{'' if number == 1 else 's'}" for kind, number in counts.items()
    ]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _path_lines(verb: str, paths: list[str]) -> list[str]:
    more = [f"{verb} {len(paths) - MAX_PATHS_SHOWN:,} more"] if len(paths) > MAX_PATHS_SHOWN else []
    return [f"{verb} {path}" for path in paths[:MAX_PATHS_SHOWN]] + more


def terraform_document(result: TerraformExport, path: object) -> dict[str, JSON]:
    """The JSON document of an export to a Terraform file."""
    agents = result.agents
    return {
        "file": str(path),
        "agents": agents.resources,
        "secrets": agents.secrets,
        "variables": agents.required_variables,
        "normalized": agents.normalized,
        "replaced": agents.replaced,
        "losses": [asdict(row) for row in result.losses],
    }


def terraform_text(result: TerraformExport, path: object) -> str:
    """Counts, and every variable that needs a value."""
    agents = result.agents
    lines = [f"{path}: {len(agents.resources):,} agents"]
    lines += [f"give the secret {name}: it is in no file" for name in agents.secrets]
    lines += [f"give {name}: an id of the new project" for name in agents.required_variables]
    lines += [
        f"{shorten(field)}: not in the Unicode form NFC, to which Terraform changes every text: the first "
        "plan shows it"
        for field in agents.normalized
    ]
    lines += [
        f"{shorten(field)}: half of a character pair has no form there and becomes U+FFFD"
        for field in agents.replaced
    ]
    lines += [
        f"{row.grade}: {row.kind} {shorten(row.name or row.id)} {row.field}: {row.reason}"
        for row in result.losses
    ]
    return "\n".join(lines)
