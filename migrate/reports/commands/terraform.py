"""The result of a Terraform export as text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.text_table import shorten


def terraform_document(found: Any, path: object) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "file": str(path),
        "agents": found.agents.resources,
        "secrets": found.agents.secrets,
        "variables": found.agents.wanted,
        "normalized": found.agents.normalized,
        "replaced": found.agents.replaced,
        "losses": [asdict(row) for row in found.losses],
    }


def terraform_text(found: Any, path: object) -> str:
    """Counts, and every variable that needs a value."""
    lines = [f"{path}: {len(found.agents.resources):,} agents"]
    lines += [f"give the secret {name}: it is in no file" for name in found.agents.secrets]
    lines += [f"give {name}: an id of the new project" for name in found.agents.wanted]
    lines += [
        f"{line}: not in the Unicode form NFC, to which Terraform changes every text: the first plan shows it"
        for line in map(shorten, found.agents.normalized)
    ]
    lines += [
        f"{line}: half of a character pair has no form there and becomes U+FFFD"
        for line in map(shorten, found.agents.replaced)
    ]
    for row in found.losses:
        lines.append(f"{row.grade}: {row.kind} {shorten(row.name or row.id)} {row.field}: {row.reason}")
    return "\n".join(lines)
