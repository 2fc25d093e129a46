"""What it will cost to carry out a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

# Where the pace of `Cost.minutes` was measured: in the last apply to the same target that the archive has, or
# when this run read the target. '' where there was neither.
PaceSource = Literal["last apply", "reading", ""]


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate for one apply without failures.

    `requests`: requests that create, change or delete something. Reading is not counted: comparing the target
    with the plan, looking for an agent before it is created, reading threads back, waiting for ingestion.
    Until it is known whether a project takes citations, messages may be sent in more requests than counted.
    `bytes`: contents of files to upload. `minutes`: at a pace that was measured, None where none was.
    `identities`: new agents for which the service also creates an Entra identity."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    requests: int
    bytes: int
    minutes: float | None = None
    pace: PaceSource = ""
    identities: int = 0
