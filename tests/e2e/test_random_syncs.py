"""Fifty random sequences of edits and syncs: the target follows, and objects of others stay."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests.e2e.random_syncs import STEPS, SyncSequence
from tests.e2e.rounds import TYPES, service
from tests.e2e.running import world

SEEDS = range(50)
ROUTES = tuple(product(TYPES, TYPES))


@pytest.mark.exhaustive(5)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_target_follows_and_others_are_not_changed(seed: int, tmp_path: Path) -> None:
    one, other = ROUTES[seed % len(ROUTES)]
    with world(
        tmp_path, service("SOURCE_KEY", one), service("TARGET_KEY", other), types=(one, other)
    ) as made:
        walk = SyncSequence(made, seed)
        walk.begin()
        for _ in range(STEPS):
            wrong = list(walk.step())
            assert not wrong, f"{one} to {other}, seed {seed}: {walk.log}: {wrong}"
