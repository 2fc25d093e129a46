"""check: compare an archive with its own hashes."""

from pathlib import Path
from random import SystemRandom

import click

from migrate.archive.check.integrity import CheckSample, check_archive
from migrate.archive.database import Archive
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with
from migrate.errors import BadUsage
from migrate.reports.commands.archive import check_document, check_text


@click.command("check")
@click.argument("archive", type=FILE_PATH)
@click.option(
    "--upgrade", is_flag=True, help="First update the tables of an archive that an earlier version wrote."
)
@click.option("--sample", metavar="N%", help="Check only N% of bodies, listings and bytes, at random.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="N",
    help="Seed of the random sample; the same number gives the same sample.",
)
@common_options
def check_command(common: Common, archive: Path, upgrade: bool, sample: str | None, seed: int | None) -> None:
    """Check every body, listing, byte and reference of ARCHIVE. Exit 1 when something is damaged.

    With --sample a large archive is checked faster: only some bodies and bytes are read. Fingerprints of
    snapshots, references, the spans of each listing and the database itself are still checked completely.

    \b
    Examples:
      assistants-migrate check estate.db
      assistants-migrate check estate.db --sample 5%
    """
    if seed is not None and sample is None:
        raise BadUsage("--seed chooses a sample", "no sample was requested", "add --sample N%")
    chosen = None
    if sample is not None:
        chosen = CheckSample(parse_share(sample), SystemRandom().randrange(1 << 31) if seed is None else seed)
    if upgrade:
        Archive.open(archive, write=True).close()
    with Archive.open(archive) as opened:
        result = check_archive(opened.conn, chosen)
    common.write_result(check_document(result), check_text(result))
    exit_with(1 if result.damage else 0)


def parse_share(text: str) -> float:
    """`5%`, `5` or `0.5%` as per cent, above 0. Raises `BadUsage`."""
    number = text.strip().removesuffix("%").strip()
    whole, _, part = number.partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdigit()) or not 0 < float(number) <= 100:
        raise BadUsage(f"{text!r} is no share", todo="write a number above 0, at most 100, as in 5%")
    return float(number)
