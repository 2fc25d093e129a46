"""How long lists are shown: the first names, and the number of the others."""

from __future__ import annotations

import pytest

from migrate.model.first_of import first_of


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, ""), (1, "0"), (2, "0, 1"), (1_236, "0, 1 and 1,234 more")],
)
def test_only_what_is_not_named_is_counted(count: int, shown: str) -> None:
    assert first_of(range(count), 2) == shown


def test_other_separators() -> None:
    assert first_of(["a", "b", "c"], 2, "; ", "; and") == "a; b; and 1 more"
