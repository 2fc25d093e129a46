"""Which name each assistant gets on a target that addresses agents by name.

The first of these that there is: the name of its counterpart, since an agent cannot be renamed; the name that
the user mapped it to; the name that an earlier move gave it, where the agent is gone since; a default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from migrate.codecs import CODECS
from migrate.errors import BadUsage
from migrate.model.loss import Loss
from migrate.model.results.plan import Action, TargetSettings
from migrate.stages.estate import Estate
from migrate.stages.plan.inputs import PlanInputs
from migrate.stages.plan.journal_state import JournalState
from migrate.stages.plan.options import PlanOptions, similar_names

# Maximum number of assistants that an error lists.
MAX_NAMED = 8


def agent_names(inputs: PlanInputs) -> dict[str, str]:
    """Source id of an assistant -> its name on the target; empty where names are no addresses.

    Raises `BadUsage` for a mapped name that cannot be given, see `requested_names`, or that another agent of
    the target has, whether in upper or lower case."""
    source, target = inputs.source, inputs.target
    assign_names = CODECS[inputs.capabilities.service].assign_names
    requested = requested_names(source, inputs.options, assign_names is not None)
    if assign_names is None:
        return {}
    known = dict(inputs.pairs.ids.get("assistant", {}))
    existing = {name.casefold(): name for name in target.objects("assistant")}
    names: dict[str, str] = {}
    for id_, name in requested.items():
        if id_ in known:
            continue
        if taken := existing.get(name.casefold()):
            raise BadUsage(
                f"the agent of {_title(source, id_)} cannot be called {name}",
                f"the target has an agent {taken}, which is not its copy",
                "map it to another name, or remove that agent first",
            )
        names[id_] = name
    used = {name.casefold() for name in (*existing, *known.values(), *names.values())}
    for id_, name in _earlier_names(source, inputs.journal):
        if id_ not in known and id_ not in names and name.casefold() not in used:
            names[id_] = name
            used.add(name.casefold())
    new = [(e.id, e.name) for e in source.objects("assistant").values() if e.id not in known | names]
    return {**known, **names, **assign_names(new, used)}


def _earlier_names(source: Estate, journal: JournalState) -> Iterator[tuple[str, str]]:
    """Id and name of each assistant whose agent an earlier move made. Applications know it by that name."""
    for kind, _, source_id, target_id in sorted(journal.id_map_rows):
        if kind == "assistant" and source_id in source.objects("assistant"):
            yield source_id, target_id


def requested_names(source: Estate, options: PlanOptions, names_are_addresses: bool) -> dict[str, str]:
    """Source id of an assistant -> the name that the user mapped it to, by its id or by its name.

    The command line counts before the config file. Raises `BadUsage` for a name that several assistants have,
    for two names of one assistant, for one name of two, and for an option that fits no assistant or a target
    that has no such names."""
    if options.names and not names_are_addresses:
        raise BadUsage(
            "--names: this target does not address assistants by name",
            "every assistant keeps its name there",
            "leave --names out",
        )
    if not names_are_addresses:
        return {}
    ids_by_name: dict[str, list[str]] = {}
    for entity in source.objects("assistant").values():
        ids_by_name.setdefault(entity.name, []).append(entity.id)
    requested: dict[str, str] = {}
    for names, place, must_fit in (
        (options.config_names, "[names] of the config file", False),
        (options.names, "--names", True),
    ):
        requested |= _resolve(names, place, must_fit, source, ids_by_name)
    owners: dict[str, str] = {}
    for id_, name in requested.items():
        other = owners.setdefault(name.casefold(), id_)
        if other != id_:
            raise BadUsage(
                f"two assistants cannot both become the agent {name}",
                f"{_title(source, other)} and {_title(source, id_)} are mapped to it; upper and lower case "
                "make no difference",
                "map one of them to another name",
            )
    return requested


def _resolve(
    names: Mapping[str, str],
    place: str,
    must_fit: bool,
    source: Estate,
    ids_by_name: Mapping[str, list[str]],
) -> dict[str, str]:
    """Source id -> name on the target, for the lines of one place. Unless each line `must_fit`, those for
    assistants that the source does not have are ignored."""
    requested: dict[str, str] = {}
    for old, new in names.items():
        ids = [old] if old in source.objects("assistant") else ids_by_name.get(old, [])
        if not ids and must_fit:
            similar = similar_names(old, filter(None, ids_by_name))
            raise BadUsage(
                f"{place} {old}={new}: the source has no assistant {old!r}",
                f"similar names: {', '.join(similar)}" if similar else "",
                "give the id or the name of an assistant of the source, as `ls` shows them",
            )
        if len(ids) > 1:
            shown = ", ".join(ids[:MAX_NAMED]) + (
                f" and {len(ids) - MAX_NAMED} more" if ids[MAX_NAMED:] else ""
            )
            raise BadUsage(
                f"{place}: {old!r} is the name of {len(ids):,} assistants",
                shown,
                "give the id of the one you mean instead of its name",
            )
        for id_ in ids:
            if requested.setdefault(id_, new) != new:
                raise BadUsage(
                    f"{place}: {_title(source, id_)} is mapped to {requested[id_]} and to {new}",
                    "once by its id and once by its name",
                    "keep one of them",
                )
    return requested


def _title(source: Estate, id_: str) -> str:
    name = source.objects("assistant")[id_].name
    return f"{id_} ({name})" if name and name != id_ else id_


def kept_name_losses(
    source: Estate, settings: TargetSettings, options: PlanOptions, actions: Iterable[Action]
) -> Iterator[Loss]:
    """For each assistant of the plan that is mapped to a name and keeps another one: why."""
    requested = requested_names(source, options, True) if settings.names else {}
    for action in actions:
        name, kept = requested.get(action.id), settings.names.get(action.id)
        if action.kind == "assistant" and action.action != "delete" and name and name != kept:
            reason = f"it is mapped to {name} and stays {kept}: an agent cannot be renamed"
            way_out = "to rename it, delete that agent, then plan again"
            yield Loss("assistant", action.id, "name", "adapted", reason, way_out, "", action.name)
