"""Any name becomes a valid agent name: stable, unique, and readable where possible."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate.codecs.foundry.valid_names import agent_name, assign_agent_names, id_suffix, valid_name_base
from tests.strategies import steady

VALID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
ID = "asst_EplyPR8dVtVpRxqd4np0GMdE"

any_name = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="-_ .ab", max_size=80),
    st.text(alphabet="aA-", min_size=60, max_size=256),
    st.sampled_from(
        ["", "agent", "agent-np0GMdE", "a" * 63, "a" * 64, "-" * 256, "注文受付係", "\ud800x", "é" * 256]
    ),
)
any_id = st.one_of(
    st.text(alphabet="abAB01", min_size=8, max_size=24).map("asst_{}".format),
    st.text(max_size=20),
    st.sampled_from([ID, f"asst_9{ID[-8:]}", f"asst_{ID[-8:].lower()}", "Documentation Assistant", "\ud800"]),
)
estates = st.lists(st.tuples(any_id, any_name), max_size=8, unique_by=lambda row: row[0])
taken_names = st.lists(any_name | st.sampled_from(["agent", "a", "ab", "b-a", "Agent-Epl"]), max_size=8)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Support Bot", "Support-Bot"),
        ("support-bot-2", "support-bot-2"),
        ("sales_analyst.v2 (final draft)", "sales-analyst-v2-final-draft"),
        ("Café Ménthe – Überblick", "Cafe-Menthe-Uberblick"),
        ("  Billing   /   EU  ", "Billing-EU"),
        ("--x--", "x"),
        ("ﬁle №5", "file-No5"),
        ("注文受付係", "ZhuWenShouFuXi"),
        ("Служба поддержки", "Sluzhba-podderzhki"),
        ("خدمة العملاء", "khdmh-lml"),
        ("한국어 상담원", "HanGugEo-SangDamWon"),
        ("한국", "HanGug"),
        ("Straße ø ł ’s", "Strasse-o-l-s"),
        ("Bob's", "Bob-s"),
        ("🌱", "seedling"),
        ("", ""),
        ("x" * 63, "x" * 63),
        ("x" * 256, "x" * 63),
        (f"{'x' * 62} y", "x" * 62),
    ],
)
def test_an_ordinary_name_stays_readable(name: str, plain: str) -> None:
    assert valid_name_base(name) == plain
    if plain:
        assert assign_agent_names([(ID, name)], ()) == {ID: plain}


@pytest.mark.parametrize("name", ["", "– …", "- _ -", "\u200b"])
def test_without_anything_to_spell_the_id_makes_the_name(name: str) -> None:
    assert assign_agent_names([(ID, name)], ()) == {ID: f"agent-{ID[-8:]}"}


@pytest.mark.parametrize("id_", ["Documentation Assistant", "abc", "", "asst_ab", "\ud800"])
def test_an_id_that_is_no_good_end_is_known_by_a_fingerprint(id_: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}", id_suffix(id_))
    assert id_suffix(id_) == id_suffix(id_) != id_suffix(f"{id_}x")


def test_two_of_one_name_are_reported_apart_by_their_ids() -> None:
    rows = [("asst_aaaaaaaa1", "Plant Desk"), ("asst_bbbbbbbb2", "plant desk"), ("asst_cccccccc3", "Plant")]
    assert assign_agent_names(rows, ()) == {
        "asst_aaaaaaaa1": "Plant-Desk-aaaaaaa1",
        "asst_bbbbbbbb2": "plant-desk-bbbbbbb2",
        "asst_cccccccc3": "Plant",
    }


def test_a_name_in_use_gains_the_id() -> None:
    assert assign_agent_names([(ID, "Plant Desk")], ["PLANT-DESK", "other"]) == {ID: f"Plant-Desk-{ID[-8:]}"}


def test_a_long_name_is_cut_before_its_suffix() -> None:
    rows = [("asst_aaaaaaaa1", "x" * 256), ("asst_bbbbbbbb2", "x" * 255)]
    assert assign_agent_names(rows, ()) == {
        "asst_aaaaaaaa1": f"{'x' * 54}-aaaaaaa1",
        "asst_bbbbbbbb2": f"{'x' * 54}-bbbbbbb2",
    }


def test_ids_with_equal_endings_get_different_names() -> None:
    rows = [("asst_1EplyPR8d", "Desk"), ("asst_2EplyPR8d", "Desk"), ("asst_3EplyPR8d", "Desk-EplyPR8d")]
    names = assign_agent_names(rows, ["desk-eplypr8d"])
    assert len({name.casefold() for name in names.values()} - {"desk-eplypr8d"}) == 3


def test_a_suffix_takes_no_name_away() -> None:
    rows = [("asst_1EplyPR8d", "Desk"), ("asst_2aaaaaaa1", "Desk"), ("asst_3", "Desk-EplyPR8d")]
    assert assign_agent_names(rows, ())["asst_3"] == "Desk-EplyPR8d"


@steady
@given(name=any_name, id_=any_id, others=st.integers(0, 3))
@example(name="x" * 53 + "- y", id_=ID, others=1)
def test_any_name_becomes_a_valid_one(name: str, id_: str, others: int) -> None:
    assert VALID.fullmatch(agent_name(name, id_, others))


@steady
@given(rows=estates, taken=taken_names)
def test_all_of_an_estate_get_valid_names_of_their_own(rows: list[tuple[str, str]], taken: list[str]) -> None:
    names = assign_agent_names(rows, taken)
    assert set(names) == {id_ for id_, _ in rows}
    assert all(VALID.fullmatch(name) for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(rows)
    assert not {name.casefold() for name in names.values()} & {name.casefold() for name in taken}


@steady
@given(rows=estates, taken=taken_names)
def test_the_same_estate_gets_the_same_names_again(rows: list[tuple[str, str]], taken: list[str]) -> None:
    assert assign_agent_names(iter(rows), set(taken)) == assign_agent_names(list(rows), list(taken))


@steady
@given(rows=estates, taken=taken_names, random=st.randoms())
@example(
    rows=[("asst_1EplyPR8d", "Desk"), ("asst_2EplyPR8d", "Desk"), ("asst_3", "Desk-EplyPR8d")],
    taken=[],
    random=Random(1),
)
@example(rows=[("asst_1EplyPR8d", "Desk"), ("asst_2EplyPR8d", "Desk")], taken=[], random=Random(1))
def test_the_order_of_the_listing_changes_no_name(
    rows: list[tuple[str, str]], taken: list[str], random: Random
) -> None:
    names = assign_agent_names(rows, taken)
    for order in (list(reversed(rows)), random.sample(rows, len(rows))):
        assert assign_agent_names(order, taken) == names


@steady
@given(rows=estates, extra=st.tuples(st.just("asst_later111"), st.just("Something Else Entirely")))
def test_a_newcomer_of_another_name_renames_nobody(
    rows: list[tuple[str, str]], extra: tuple[str, str]
) -> None:
    before, after = assign_agent_names(rows, ()), assign_agent_names([*rows, extra], ())
    assert {id_: after[id_] for id_ in before} == before
