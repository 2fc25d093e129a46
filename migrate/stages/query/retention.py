"""Decide which snapshots of an archive a retention policy keeps, and why.

As in restic, a rule keeps the newest snapshot of each of the last N days, weeks or months that have any; a
complete one is preferred to a partial one, and one of everything to one of less. Each endpoint is treated
separately.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from migrate.errors import BadUsage
from migrate.model.results.archive import RetentionDecision, SnapshotInfo


@dataclass(frozen=True)
class RetentionPolicy:
    """How many snapshots to keep by each rule; 0 is no rule."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    tags: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.last or self.daily or self.weekly or self.monthly or self.tags)


def apply_policy(infos: Iterable[SnapshotInfo], policy: RetentionPolicy) -> list[RetentionDecision]:
    """A decision for each snapshot, oldest first. The last complete snapshot of an endpoint always stays, or
    the newest where none is complete, and one that the next `snapshot` continues. Raises `BadUsage` for a
    policy of tags only that no snapshot has."""
    infos = list(infos)
    if policy == RetentionPolicy(tags=policy.tags) and not any(info.tag in policy.tags for info in infos):
        raise BadUsage(
            f"no snapshot has the tag {' or '.join(policy.tags)}",
            "the policy has no other rule",
            "`snapshots ARCHIVE` lists the tags; or add another rule: --keep-last N",
        )
    verdicts: dict[int, RetentionDecision] = {}
    for group in _by_endpoint(infos).values():
        why: dict[int, list[str]] = {info.id: [] for info in group}
        for number, reason in _reasons(group, policy):
            why[number].append(reason)
        verdicts.update({info.id: RetentionDecision(info, tuple(why[info.id])) for info in group})
    return [verdicts[number] for number in sorted(verdicts)]


def forget_by_name(infos: Collection[SnapshotInfo], names: Collection[str]) -> list[RetentionDecision]:
    """A decision for each snapshot when these numbers or tags are forgotten. Raises `BadUsage` for a name
    that matches no snapshot, or several."""
    forgotten = {_find_snapshot(infos, name).id for name in names}
    kept_places = {(i.type, i.url) for i in infos if i.state == "complete" and i.id not in forgotten}
    return [
        RetentionDecision(info, (), _remark(info, kept_places))
        if info.id in forgotten
        else RetentionDecision(info, ("not named",))
        for info in infos
    ]


def _remark(info: SnapshotInfo, kept_places: Collection[tuple[str, str]]) -> str:
    is_last = info.state == "complete" and (info.type, info.url) not in kept_places
    return f"no complete snapshot of {info.url} is left without it" if is_last else ""


def _find_snapshot(infos: Collection[SnapshotInfo], name: str) -> SnapshotInfo:
    matches = [info for info in infos if name == str(info.id)] or [info for info in infos if name == info.tag]
    if len(matches) == 1:
        return matches[0]
    numbers = ", ".join(str(info.id) for info in matches)
    raise BadUsage(
        f"{name!r} names {'several snapshots' if matches else 'no snapshot'}",
        f"it is the tag of {numbers}" if matches else "it is neither a number nor a tag here",
        "give numbers; `snapshots ARCHIVE` lists them",
    )


def _by_endpoint(infos: Iterable[SnapshotInfo]) -> dict[tuple[str, str], list[SnapshotInfo]]:
    """The snapshots of each endpoint, newest first."""
    groups: dict[tuple[str, str], list[SnapshotInfo]] = {}
    for info in sorted(infos, key=lambda info: -info.id):
        groups.setdefault((info.type, info.url), []).append(info)
    return groups


def _reasons(group: list[SnapshotInfo], policy: RetentionPolicy) -> Iterable[tuple[int, str]]:
    """(number of a snapshot, reason to keep it) rows."""
    if group[0].interrupted:
        yield group[0].id, "interrupted, can be continued"
    last = max(group, key=_rank)  # of equals the first, which is the newest
    yield last.id, "last complete" if last.state == "complete" else "newest, none is complete"
    unfiltered = [info for info in group if not _is_filtered(info) and not info.interrupted]
    if unfiltered and _is_filtered(last):
        yield unfiltered[0].id, "last that was asked for everything"
    for info in group[: policy.last]:
        yield info.id, "last"
    for info in group:
        if info.tag and info.tag in policy.tags:
            yield info.id, f"tag {info.tag}"
    for name, period in PERIOD_KEYS.items():
        for info in _one_per_period(group, period, getattr(policy, name)):
            yield info.id, name


def _one_per_period(
    group: list[SnapshotInfo], period: Callable[[datetime], str], number: int
) -> list[SnapshotInfo]:
    """One snapshot of each of the newest periods."""
    chosen: dict[str, SnapshotInfo] = {}
    for info in group:
        key = period(datetime.fromisoformat(info.started_at))
        best = chosen.setdefault(key, info)
        if _rank(info) > _rank(best):
            chosen[key] = info
    return [chosen[key] for key in sorted(chosen, reverse=True)[:number]]


def _rank(info: SnapshotInfo) -> tuple[bool, bool, bool]:
    """The order in which a snapshot is preferred to others, before its age counts."""
    return info.state == "complete", not info.interrupted, not _is_filtered(info)


def _is_filtered(info: SnapshotInfo) -> bool:
    """Whether a snapshot was limited to a part of the estate."""
    options = info.options
    return bool(info.is_filtered or options.get("shard")) or not all(
        options.get(name, True) for name in ("threads", "runs", "bytes")
    )


def _week(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    return f"{year:04}-{week:02}"


# Rule -> the period of a moment, as a text that sorts by time. Archives store time in UTC.
PERIOD_KEYS: dict[str, Callable[[datetime], str]] = {
    "daily": lambda moment: moment.strftime("%Y-%m-%d"),
    "weekly": _week,
    "monthly": lambda moment: moment.strftime("%Y-%m"),
}
