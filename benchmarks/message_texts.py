"""Generated texts of messages with realistic lengths.

Questions are as long as those in fixtures/ (quantiles below). The answers there are short, as in a demo,
so answers here are longer: median 400 characters, at most 4,000. Words are drawn by rank, as in a natural
language, so that the texts compress as well as real ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import Any

# Characters of text in the messages of fixtures/: quantiles 5, 10, 25, 50, 75, 90, 95, 99.
QUESTION_LENGTHS = (22, 26, 30, 41, 53, 71, 106, 123)
MEDIAN_ANSWER_LENGTH, ANSWER_SIGMA, MAX_ANSWER_LENGTH = 400, 0.9, 4_000
VOCABULARY = 4_000
RANKS = list(accumulate(1 / (n + 1) for n in range(VOCABULARY)))
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def writer(seed: int) -> Callable[[str], str]:
    """A function that returns a text for a role. The same seed gives the same texts."""
    vocabulary, state = _language(seed)
    randomness = random.Random()
    randomness.setstate(state)

    def write(role: str) -> str:
        length = randomness.choice(QUESTION_LENGTHS) if role == "user" else _answer_length(randomness)
        text = " ".join(randomness.choices(vocabulary, cum_weights=RANKS, k=length // 4 + 1))
        return text[:length].strip().capitalize() + ("?" if role == "user" else ".")

    return write


@lru_cache(100)
def _language(seed: int) -> tuple[list[str], Any]:
    """Words, the frequent ones first, and the state of the random generator after them."""
    randomness = random.Random(seed)
    rare = [1 / (n + 1) for n in range(len(LETTERS))]
    vocabulary = [
        "".join(randomness.choices(LETTERS, rare, k=randomness.randint(2, 10))) for _ in range(VOCABULARY)
    ]  # fmt: skip
    return vocabulary, randomness.getstate()


def _answer_length(randomness: random.Random) -> int:
    return min(
        MAX_ANSWER_LENGTH, int(randomness.lognormvariate(math.log(MEDIAN_ANSWER_LENGTH), ANSWER_SIGMA)) + 10
    )
