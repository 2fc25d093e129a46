"""The names given with --accept-loss in, a refusal out where one of them is no field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from migrate.errors import BadUsage
from migrate.model.loss import EVERY, Loss
from migrate.model.loss_fields import declared, names_of, unknown_names

NEAR_MOST = 6
"""Near names that the error shows."""


def must_be_fields(accept: Iterable[str], losses: Sequence[Loss]) -> None:
    """Raises `BadUsage` for a name that is neither a known field nor in a loss of this plan: a misspelled
    name would accept nothing, and nobody would see it."""
    unknown = unknown_names(accept, losses)
    if not unknown:
        return
    fields = sorted({loss.field for loss in losses if loss.grade != "adapted"} - {EVERY})
    here = f"to accept in this plan: {', '.join(fields)}" if fields else "this plan has no loss to accept"
    wrong = unknown[0]
    near = near_names(wrong, declared().union(*(names_of(loss.kind, loss.field) for loss in losses)))
    raise BadUsage(
        f"--accept-loss {wrong}: there is no field of this name",
        f"{here}; near names: {', '.join(near)}" if near else here,
        "name a FIELD, KIND.FIELD or a field with its parts (content.text.annotations), or write all",
    )


def near_names(wrong: str, known: Iterable[str]) -> list[str]:
    """Names that the given one may have meant: those that have it as a part, then those spelled alike."""
    names = sorted(known)
    holding = [name for name in names if wrong in name.split(".")] if wrong else []
    alike = get_close_matches(wrong, names, NEAR_MOST, 0.7)
    return list(dict.fromkeys([*holding, *alike]))[:NEAR_MOST]
