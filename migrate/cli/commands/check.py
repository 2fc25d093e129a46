"""check: an archive against its own hashes."""

from __future__ import annotations

from pathlib import Path
from random import SystemRandom

import click

from migrate.archive.check.integrity import check_archive
from migrate.archive.database import Archive
from migrate.cli.options import Common, common_options, exit_with
from migrate.errors import BadUsage
from migrate.model.results.archive import CheckSample
from migrate.reports.commands.archive import check_document, check_text


@click.command("check")
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--upgrade", is_flag=True, help="First bring the tables of an earlier version up to date.")
@click.option("--sample", metavar="N%", help="Of bodies, listings and bytes only so many, chosen at random.")
@click.option("--seed", type=click.IntRange(0), help="Choose the sample that this number chose before.")
@common_options
def check_command(common: Common, archive: Path, upgrade: bool, sample: str | None, seed: int | None) -> None:
    """Check every body, listing, byte and reference of ARCHIVE. Exit 1 when something is damaged.

    --sample spares a large archive the reading of all bodies and bytes; fingerprints of snapshots,
    references, the spans of each listing and the database itself are looked at whole all the same.
    """

    if seed is not None and sample is None:
        raise BadUsage("--seed chooses a sample", "none was asked for", "add --sample N%")
    chosen = None
    if sample is not None:
        chosen = CheckSample(share(sample), SystemRandom().randrange(1 << 31) if seed is None else seed)
    if upgrade:
        Archive.open(archive, write=True).close()
    with Archive.open(archive) as opened:
        checked = check_archive(opened.conn, chosen)
    common.answer(check_document(checked), check_text(checked))
    exit_with(1 if checked.damage else 0)


def share(text: str) -> float:
    """`5%`, `5` or `0.5%` as a number of hundredths, above none."""

    number = text.strip().removesuffix("%").strip()
    whole, _, part = number.partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdigit()) or not 0 < float(number) <= 100:
        raise BadUsage(f"{text!r} is no share", todo="write a number above 0, at most 100, as in 5%")
    return float(number)
