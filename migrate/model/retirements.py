"""Models and services that end: what their makers announced, and the day on which each row was read.

A maker may have moved a date since that day, so every result has the source and the day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timezone

OPENAI_PAGE = "developers.openai.com/api/docs/deprecations"
FOUNDRY_MODELS_PAGE = "learn.microsoft.com, Azure and Foundry model retirements"
FOUNDRY_MIGRATION_PAGE = "learn.microsoft.com, azure/foundry how-to/migrate"

# The suffix of a dated snapshot of an OpenAI model, as in gpt-4o-2024-08-06.
SNAPSHOT_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")
# The beginning of a fine-tuned model's name, and its base model: ft:gpt-4o-2024-08-06:acme::abc.
FINE_TUNED = re.compile(r"ft:([^:]+)(:|$)")


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model that ends. `maker`: openai, or azure for Azure OpenAI and Foundry. `version`: the only version
    of the model that ends; '' for every version. `fine_tunes`: the source names models that were tuned from
    this one too. `read_on`: the day on which `source` was read."""

    maker: str
    model: str
    version: str
    ends_on: date
    source: str
    read_on: date
    fine_tunes: bool = False


@dataclass(frozen=True, slots=True)
class ServiceRetirement:
    """A service that ends, with everything in it. `type`: the type of an estate."""

    type: str
    name: str
    ends_on: date
    source: str
    read_on: date


_READ = date(2026, 11, 30)


def _openai(ends_on: date, models: str, fine_tunes: bool = False) -> Iterator[Retirement]:
    for model in models.split():
        yield Retirement("openai", model, "", ends_on, OPENAI_PAGE, _READ, fine_tunes)


MODEL_RETIREMENTS = (
    *_openai(date(2026, 12, 11), "gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro o3 o3-pro"),
    *_openai(date(2027, 1, 14), "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini", fine_tunes=True),
    Retirement("azure", "gpt-5.4", "2026-03-05", date(2027, 3, 5), FOUNDRY_MODELS_PAGE, _READ),
    Retirement("azure", "gpt-4.1", "2025-04-14", date(2027, 4, 14), FOUNDRY_MODELS_PAGE, _READ),
)

SERVICE_RETIREMENTS = (
    ServiceRetirement(
        "foundry-classic",
        "the service of Foundry classic agents",
        date(2027, 3, 31),
        FOUNDRY_MIGRATION_PAGE,
        _READ,
    ),
)


def today() -> date:
    """The day, in UTC, from which days are counted until a model ends. The only place that asks the clock
    for it, so that tests can choose the day."""
    return datetime.now(timezone.utc).date()


def parse_shutdown_date(text: object) -> date | None:
    """The date of `shutdown_date`, a field of OpenAI's `GET /v1/models`. The SDK describes it as a text
    without a format, so anything that does not begin with a date counts as not given."""
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def find_openai_retirement(model: str) -> tuple[Retirement, bool] | None:
    """The row of an OpenAI model, and whether the source names this very model. It does not where the row was
    found by the base model of a dated snapshot, or of a fine-tune that the source does not mention."""
    rows = {row.model: row for row in MODEL_RETIREMENTS if row.maker == "openai"}
    tuned = FINE_TUNED.match(model)
    name = tuned[1] if tuned else model
    row = rows.get(name) or rows.get(SNAPSHOT_DATE.sub("", name))
    if row is None:
        return None
    return row, row.fine_tunes if tuned else row.model == model


def find_azure_retirement(model: str, version: str | None) -> Retirement | None:
    """The row of a model of Azure OpenAI or Foundry. `version`: None where it is not known; any row of the
    model is taken then."""
    for row in MODEL_RETIREMENTS:
        if (row.maker, row.model) == ("azure", model) and version in (None, row.version):
            return row
    return None
