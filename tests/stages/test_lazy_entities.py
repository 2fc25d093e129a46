"""Entities that are decoded on access: the same ones by id, in order, as new objects each time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrate.model import Entity
from migrate.stages.estate import LazyEntities

BODIES = st.lists(
    st.fixed_dictionaries(
        {"id": st.text(min_size=1), "said": st.text() | st.just("\ud800") | st.floats(-9, 9)}
    ),
    unique_by=lambda body: body["id"],
)


@given(BODIES)
def test_entities_are_complete_and_in_order(bodies: list[dict[str, object]]) -> None:
    held = LazyEntities(bodies, lambda body: Entity("thread", body["id"], "", body))
    assert list(held) == [body["id"] for body in bodies]
    assert [entity.fields for entity in held.values()] == bodies
    assert len(held) == len(bodies)
    assert all(body["id"] in held for body in bodies)
    assert "" not in held
    assert held.get("") is None


def test_nothing_decoded_is_kept() -> None:
    made = []
    held = LazyEntities([{"id": "a"}], lambda body: made.append(body) or Entity("thread", body["id"]))
    before = len(made)
    assert held["a"] == held["a"]
    assert len(made) == before + 2
    assert held["a"] is not held["a"]
