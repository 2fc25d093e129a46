"""Assistants whose model ends, and models of which nothing is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

# Why a date holds for an assistant. `service`: the service gave it. `announced`: the maker's page names this
# model. `base model`: the page names only the model that a snapshot or fine-tune belongs to. `guess`: a
# deployment is called like the model, and its real model cannot be seen.
RetirementBasis = Literal["service", "announced", "base model", "guess"]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What a service shows of a name that assistants use as their model: the model and version of a
    deployment, or the day (ISO 8601) on which the model ends. '' where it shows nothing."""

    model: str = ""
    version: str = ""
    ends_on: str = ""


@dataclass(frozen=True, slots=True)
class RetiringObject:
    """An assistant whose model ends, or a service that ends (kind `service`).

    `model`: the name that the assistant uses. `served_model`: the model and version behind a deployment, ''
    where that is not known. `ends_on`: ISO 8601. `days_left`: negative after that day. `source`, `read_on`:
    where the date is from, and when it was read there. `remedy`: what settles it."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    kind: Literal["assistant", "service"]
    id: str
    name: str
    model: str
    served_model: str
    ends_on: str
    days_left: int
    basis: RetirementBasis
    source: str
    read_on: str
    remedy: str


@dataclass(frozen=True, slots=True)
class UnknownModel:
    """A name of a model whose end cannot be known, how many assistants use it, and the reason."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    model: str
    assistants: int
    reason: str


@dataclass(frozen=True, slots=True)
class Retiring:
    """What ends in an estate, the earliest first. `day`: the day (ISO 8601) from which days are counted."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    day: str
    objects: tuple[RetiringObject, ...] = ()
    unknown: tuple[UnknownModel, ...] = ()
