"""The options of a random sample, the same on every command that has them."""

from __future__ import annotations

from random import SystemRandom

import click

from migrate.errors import BadUsage
from migrate.model.sample import Sample

seed_option = click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="N",
    help="Seed of the random sample; the same number gives the same sample.",
)


def read_sample(share: str | None, seed: int | None) -> Sample | None:
    """The values of --sample and --seed; None without --sample. Raises `BadUsage`."""
    if share is None:
        if seed is not None:
            raise BadUsage("--seed chooses a sample", "no sample was requested", "add --sample N%")
        return None
    return Sample(parse_share(share), SystemRandom().randrange(1 << 31) if seed is None else seed)


def parse_share(text: str) -> float:
    """`5%`, `5` or `0.5%` as per cent, above 0. Raises `BadUsage`."""
    number = text.strip().removesuffix("%").strip()
    whole, _, part = number.partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdigit()) or not 0 < float(number) <= 100:
        raise BadUsage(f"{text!r} is no share", todo="write a number above 0, at most 100, as in 5%")
    return float(number)
