"""Find assistants whose model ends, by what the service shows and by the table of announced dates.

On OpenAI an assistant has a model. On Azure OpenAI and Foundry it has a deployment: a Foundry project of
the new generation lists the model behind it, the others do not. There a deployment that is called like a
model is reported as a guess, and any other one as unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from migrate.codecs.adapt.models import target_model_name
from migrate.errors import RequestFailed
from migrate.model import JSON, Entity, retirements
from migrate.model.results.retirements import (
    RetirementBasis,
    Retiring,
    RetiringObject,
    ServedModel,
    UnknownModel,
)
from migrate.model.retirements import (
    SERVICE_RETIREMENTS,
    Retirement,
    ServiceRetirement,
    find_azure_retirement,
    find_openai_retirement,
    parse_shutdown_date,
)
from migrate.model.secrets import mask_text
from migrate.stages.estate import Estate

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader
    from migrate.model.results.plan import Action, TargetSettings

OPENAI_MODELS_SOURCE = "GET /v1/models"
SERVICE_REMEDY = "take a snapshot, and move to a service that stays: plan ARCHIVE TARGET"
NOT_SHOWN_REASON = "the service does not show which model is behind a deployment"
NOT_LISTED_REASON = "the project lists no deployment of this name"
# Actions after which an assistant is on the target.
ARRIVING_ACTIONS = ("create", "update", "adopt", "skip")
DEPLOYMENT_TYPES = ("azure-openai", "foundry-classic", "foundry")

ServedModels = Mapping[str, ServedModel]


class NamedModel(NamedTuple):
    """An assistant, the model that it uses on the estate in question, and the name to write on the left side
    of [models]."""

    id: str
    name: str
    model: str
    mapped_from: str


class _End(NamedTuple):
    ends_on: date
    basis: RetirementBasis
    source: str
    read_on: str
    served_model: str


def served_models(deployments: Mapping[str, Mapping[str, JSON]] | None) -> ServedModels | None:
    """The model behind each deployment of a listing, by its name; None where there is no listing."""
    if deployments is None:
        return None
    return {
        name: ServedModel(str(row.get("modelName") or ""), str(row.get("modelVersion") or ""))
        for name, row in deployments.items()
    }


def dated_models(dates: Mapping[str, str]) -> ServedModels:
    """Models with the day on which they end, as the service gives it."""
    parsed = {name: parse_shutdown_date(text) for name, text in dates.items()}
    return {name: ServedModel(ends_on=day.isoformat()) for name, day in parsed.items() if day}


def read_served_models(reader: Reader) -> ServedModels | None:
    """Ask a service for deployments and dates of models; None where it shows neither. A request that fails
    counts as not shown: nothing else depends on it."""
    try:
        served = served_models(reader.deployments())
        return (dated_models(reader.shutdown_dates()) or None) if served is None else served
    except RequestFailed:
        return None


def estate_models(estate: Estate) -> Iterator[NamedModel]:
    """Every assistant of an estate with its model."""
    return map(named_model, estate.objects("assistant").values())


def named_model(assistant: Entity) -> NamedModel:
    """An assistant with its model."""
    model = str(assistant.fields.get("model") or "")
    return NamedModel(assistant.id, assistant.name, model, model)


def retiring_in_snapshot(
    estate: Estate,
    day: date,
    within_days: int | None = None,
    is_selected: Callable[[str], bool] | None = None,
) -> Retiring:
    """What ends in a snapshot, by what its service showed when it was taken. `is_selected`: whether an
    assistant of this id is meant; None for all of them."""
    models = (model for model in estate_models(estate) if is_selected is None or is_selected(model.id))
    return find_retiring(estate.type, models, estate.snapshot.info.models, day, within_days)


def retiring_on_target(
    source: Estate,
    type_: str,
    actions: Iterable[Action],
    settings: TargetSettings,
    served: ServedModels | None,
) -> Retiring | None:
    """What ends among the models that the assistants of a plan have on its target; None if nothing does."""
    assistants = source.objects("assistant")
    models = []
    for action in actions:
        if action.kind != "assistant" or action.action not in ARRIVING_ACTIONS or action.id not in assistants:
            continue
        entity = assistants[action.id]
        model = str(entity.fields.get("model") or "")
        mapped = target_model_name(model, settings.models, settings.connections)
        models.append(NamedModel(entity.id, entity.name, mapped, model))
    retiring = find_retiring(type_, models, served, retirements.today())
    return retiring if retiring.objects or retiring.unknown else None


def find_retiring(
    type_: str,
    assistants: Iterable[NamedModel],
    served: ServedModels | None,
    day: date,
    within_days: int | None = None,
) -> Retiring:
    """What ends in an estate of a type. `served`: what its service shows, None where that is not known.
    `within_days`: only what ends within so many days from `day`; None for every known date."""
    noun = "DEPLOYMENT" if type_ in DEPLOYMENT_TYPES else "MODEL"
    objects = [
        _retiring("service", row.type, row.name, "", _table_end(row, "announced", ""), day, SERVICE_REMEDY)
        for row in SERVICE_RETIREMENTS
        if row.type == type_
    ]
    unknown = Counter[tuple[str, str]]()
    for assistant in assistants:
        end = _end_of(type_, assistant.model, served)
        if isinstance(end, str):
            unknown[assistant.model, end] += 1
        elif end is not None:
            id_, name, model, mapped_from = assistant
            remedy = f'in [models] of the config file: "{mapped_from}" = "{noun}"'
            objects.append(_retiring("assistant", id_, name, model, end, day, remedy))
    kept = [row for row in objects if within_days is None or row.days_left <= within_days]
    kept.sort(key=lambda row: (row.ends_on, row.model, row.name, row.id))
    rows = (
        UnknownModel(mask_text(model), number, reason) for (model, reason), number in sorted(unknown.items())
    )
    return Retiring(day.isoformat(), tuple(kept), tuple(rows))


def _retiring(
    kind: Literal["assistant", "service"], id_: str, name: str, model: str, end: _End, day: date, remedy: str
) -> RetiringObject:
    return RetiringObject(
        kind=kind,
        id=id_,
        name=mask_text(name),
        model=mask_text(model),
        served_model=end.served_model,
        ends_on=end.ends_on.isoformat(),
        days_left=(end.ends_on - day).days,
        basis=end.basis,
        source=end.source,
        read_on=end.read_on,
        remedy=remedy,
    )


def _end_of(type_: str, model: str, served: ServedModels | None) -> _End | str | None:
    """When a model ends; None if no end was announced. A text says why it cannot be known."""
    if type_ == "openai":
        return _openai_end(model, served or {})
    if type_ not in DEPLOYMENT_TYPES or not model:
        return None
    if served is None:
        row = find_azure_retirement(model, None)
        return _table_end(row, "guess", "") if row else NOT_SHOWN_REASON
    deployment = served.get(model)
    if deployment is None or not deployment.model:
        return NOT_SHOWN_REASON if deployment or "/" in model else NOT_LISTED_REASON
    row = find_azure_retirement(deployment.model, deployment.version)
    shown = f"{deployment.model} {deployment.version}".strip()
    return _table_end(row, "announced", shown) if row else None


def _openai_end(model: str, served: ServedModels) -> _End | None:
    """The service's own date comes first; the table may be older."""
    shown = served.get(model)
    if shown and (ends_on := parse_shutdown_date(shown.ends_on)):
        return _End(ends_on, "service", OPENAI_MODELS_SOURCE, "", "")
    if found := find_openai_retirement(model):
        row, is_named = found
        return _table_end(row, "announced" if is_named else "base model", "")
    return None


def _table_end(row: Retirement | ServiceRetirement, basis: RetirementBasis, served_model: str) -> _End:
    return _End(row.ends_on, basis, row.source, row.read_on.isoformat(), served_model)
