"""A seed in, texts of messages out, as long as real ones are.

Questions are as long as those in fixtures/ (quantiles below). Answers there are as short as in a demo, so
answers here are longer: median 400 characters, a tail to 4,000. Words are drawn by rank, as in a language,
so that compressing them is neither easier nor harder than it is with people's own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import Any

# Characters of text in the messages of fixtures/: quantiles 5, 10, 25, 50, 75, 90, 95, 99.
QUESTIONS = (22, 26, 30, 41, 53, 71, 106, 123)
ANSWER, SPREAD, LONGEST = 400, 0.9, 4_000
VOCABULARY = 4_000
RANKS = list(accumulate(1 / (n + 1) for n in range(VOCABULARY)))
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def writer(seed: int) -> Callable[[str], str]:
    """A function from role to a text; the same seed gives the same texts."""
    words, state = _language(seed)
    chance = random.Random()
    chance.setstate(state)

    def write(role: str) -> str:
        wanted = chance.choice(QUESTIONS) if role == "user" else _long(chance)
        text = " ".join(chance.choices(words, cum_weights=RANKS, k=wanted // 4 + 1))
        return text[:wanted].strip().capitalize() + ("?" if role == "user" else ".")

    return write


@lru_cache(100)
def _language(seed: int) -> tuple[list[str], Any]:
    """Words, the frequent ones first, and how chance goes on from them."""
    chance = random.Random(seed)
    rare = [1 / (n + 1) for n in range(len(LETTERS))]
    words = [
        "".join(chance.choices(LETTERS, rare, k=chance.randint(2, 10))) for _ in range(VOCABULARY)
    ]  # fmt: skip
    return words, chance.getstate()


def _long(chance: random.Random) -> int:
    return min(LONGEST, int(chance.lognormvariate(math.log(ANSWER), SPREAD)) + 10)
