"""A retention policy is applied to each estate separately, and never removes the last complete snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.errors import BadUsage
from migrate.model.results.archive import RetentionDecision, SnapshotInfo
from migrate.stages.query.retention import RetentionPolicy, apply_policy, forget_by_name
from tests.strategies import steady

START = datetime(2026, 1, 1, 23, 30, tzinfo=timezone.utc)


def taken(number: int, hours: float, state: str = "complete", tag: str = "", url: str = "u") -> SnapshotInfo:
    begun = (START + timedelta(hours=hours)).isoformat(timespec="seconds")
    stopped = state == "interrupted"
    shown = "partial" if stopped else state
    return SnapshotInfo(number, "openai", url, tag, shown, begun, "", "", "", stopped, 0, 0)


def kept(verdicts: list[RetentionDecision]) -> dict[int, tuple[str, ...]]:
    return {one.snapshot.id: one.why for one in verdicts if one.is_kept}


def test_keep_last() -> None:
    infos = [taken(n, n) for n in range(1, 6)]
    assert kept(apply_policy(infos, RetentionPolicy(last=2))) == {4: ("last",), 5: ("last complete", "last")}


def test_a_day_a_week_and_a_month_keep_their_newest() -> None:
    infos = [taken(n, 24 * n) for n in range(1, 61)]  # 2 January to 2 March
    days = {n: info.started_at[:10] for n, info in enumerate(infos, 1)}
    assert [days[n] for n in kept(apply_policy(infos, RetentionPolicy(daily=3)))] == [
        "2026-02-28", "2026-03-01", "2026-03-02",
    ]  # fmt: skip
    assert [days[n] for n in kept(apply_policy(infos, RetentionPolicy(weekly=2)))] == [
        "2026-03-01",
        "2026-03-02",
    ]
    assert [days[n] for n in kept(apply_policy(infos, RetentionPolicy(monthly=9)))] == [
        "2026-01-31", "2026-02-28", "2026-03-02",
    ]  # fmt: skip


def test_the_week_around_new_year_is_one() -> None:
    infos = [taken(1, -24 * 9), taken(2, -48), taken(3, 0)]
    assert list(kept(apply_policy(infos, RetentionPolicy(weekly=9)))) == [1, 3]


def test_only_days_that_have_a_snapshot_count() -> None:
    infos = [taken(1, 0), taken(2, 24 * 40), taken(3, 24 * 90), taken(4, 24 * 90 + 0.2)]
    assert list(kept(apply_policy(infos, RetentionPolicy(daily=3)))) == [1, 2, 4]


def test_a_day_begins_at_midnight_utc() -> None:
    infos = [taken(1, 0), taken(2, 0.4), taken(3, 0.6)]
    assert list(kept(apply_policy(infos, RetentionPolicy(daily=9)))) == [2, 3]


def test_a_complete_snapshot_represents_its_day_before_a_partial_one() -> None:
    infos = [taken(1, 1), taken(2, 2), taken(3, 3, "partial"), taken(4, 30, "partial")]
    assert list(kept(apply_policy(infos, RetentionPolicy(daily=2)))) == [2, 4]


@pytest.mark.parametrize(
    "less",
    [{"exclude": [["thread", "*"]]}, {"include": [["file", "a"]]}, {"threads": False}, {"bytes": False}],
)
def test_a_narrower_snapshot_does_not_represent_a_wider_one(less: dict[str, Any]) -> None:
    full = {"threads": True, "runs": True, "bytes": True, "include": [], "exclude": []}
    infos = [replace(taken(1, 1), options=full), replace(taken(2, 2), options={**full, **less})]
    assert kept(apply_policy(infos, RetentionPolicy(last=1))) == {1: ("last complete",), 2: ("last",)}
    assert kept(apply_policy(infos, RetentionPolicy(daily=1))) == {1: ("last complete", "daily")}
    partial = [replace(infos[0], state="partial"), infos[1]]
    assert kept(apply_policy(partial, RetentionPolicy(last=1))) == {
        1: ("last that was asked for everything",),
        2: ("last complete", "last"),
    }


def test_the_last_complete_stays_and_so_does_what_can_be_continued() -> None:
    infos = [taken(1, 1), taken(2, 2), taken(3, 3, "partial"), taken(4, 4, "interrupted")]
    infos += [taken(5, 1, "partial", url="v"), taken(6, 2, "partial", url="v")]
    assert kept(apply_policy(infos, RetentionPolicy(tags=("x",), last=1))) == {
        2: ("last complete",),
        4: ("interrupted, can be continued", "last"),
        6: ("newest, none is complete", "last"),
    }


def test_an_interrupted_one_does_not_represent_a_finished_one() -> None:
    infos = [taken(1, 1, "partial"), taken(2, 2, "interrupted")]
    assert kept(apply_policy(infos, RetentionPolicy(daily=1))) == {
        1: ("newest, none is complete", "daily"),
        2: ("interrupted, can be continued",),
    }


def test_each_estate_is_looked_at_by_itself() -> None:
    infos = [taken(n, n, url="ab"[n % 2]) for n in range(1, 9)]
    assert list(kept(apply_policy(infos, RetentionPolicy(last=2)))) == [5, 6, 7, 8]


def test_tags_are_kept_and_rules_add_up() -> None:
    infos = [taken(n, 24 * n, tag="release" if n == 2 else "") for n in range(1, 6)]
    assert kept(apply_policy(infos, RetentionPolicy(last=1, daily=2, tags=("release",)))) == {
        2: ("tag release",),
        4: ("daily",),
        5: ("last complete", "last", "daily"),
    }


def test_a_tag_that_nothing_has_is_no_policy() -> None:
    with pytest.raises(BadUsage, match="no snapshot has the tag relaese"):
        apply_policy([taken(1, 1, tag="release"), taken(2, 2)], RetentionPolicy(tags=("relaese",)))


def test_no_rule_is_no_policy() -> None:
    assert not RetentionPolicy()
    assert all(
        (
            RetentionPolicy(last=1),
            RetentionPolicy(daily=1),
            RetentionPolicy(weekly=1),
            RetentionPolicy(monthly=1),
            RetentionPolicy(tags=("x",)),
        )
    )


def test_by_number_only_the_given_ones_go_and_the_last_complete_is_reported() -> None:
    infos = [taken(1, 1, tag="a"), taken(2, 2, tag="b"), taken(3, 3, "partial", tag="b")]
    verdicts = forget_by_name(infos, ["a"])
    assert list(kept(verdicts)) == [2, 3]
    assert [one.remark for one in verdicts] == ["", "", ""]
    assert forget_by_name(infos, ["1", "2"])[1].remark == "no complete snapshot of u is left without it"
    with pytest.raises(BadUsage, match="names several snapshots"):
        forget_by_name(infos, ["b"])
    for wrong in ("4", "latest", "", "1 "):
        with pytest.raises(BadUsage, match="names no snapshot"):
            forget_by_name(infos, [wrong])


counts = st.integers(0, 4)
lists = st.lists(
    st.tuples(
        st.floats(0, 5000), st.sampled_from(["complete", "partial"]), st.sampled_from(["", "x"]),
        st.sampled_from("uv"),
    ),
    max_size=30,
)  # fmt: skip


@steady
@given(lists, counts, counts, counts, st.integers(1, 4))
def test_whatever_the_policy_what_must_stay_stays(
    rows: list[tuple[float, str, str, str]], daily: int, weekly: int, monthly: int, last: int
) -> None:
    infos = [taken(n, hours, state, tag, url) for n, (hours, state, tag, url) in enumerate(sorted(rows), 1)]
    verdicts = apply_policy(infos, RetentionPolicy(last, daily, weekly, monthly, ("x",)))
    staying = kept(verdicts)
    assert [one.snapshot for one in verdicts] == infos
    for url in {info.url for info in infos}:
        ours = [info for info in infos if info.url == url]
        whole = [info for info in ours if info.state == "complete"] or ours
        assert whole[-1].id in staying
        assert {info.id for info in ours[-last:]} <= staying.keys()
        days = sorted({info.started_at[:10] for info in ours}, reverse=True)[:daily]
        assert {info.started_at[:10] for info in ours if "daily" in staying.get(info.id, ())} == set(days)
        assert sum("monthly" in staying.get(info.id, ()) for info in ours) <= monthly
    assert all(info.id in staying for info in infos if info.tag)
