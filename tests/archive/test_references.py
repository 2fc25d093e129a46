"""Each reference inside an archive is checked; a broken one is reported with its snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.check.integrity import check_archive
from migrate.archive.check.references import CHECKED_REFERENCES, REFERENCE_RULES
from migrate.archive.id_map import Side
from migrate.archive.journal import Journal
from tests.archive.filling import filled, write

BREAKS = {
    "spans -> packs": [
        "DELETE FROM packs WHERE kind = 'message'",
        "UPDATE spans SET count = 3 WHERE count = 2",
        "UPDATE spans SET place = -1 WHERE count = 2",
        "UPDATE spans SET pack_id = (SELECT id FROM packs WHERE kind = 'thread'), count = 1 WHERE count = 2",
    ],
    "spans -> manifests": ["UPDATE spans SET manifest_id = 99 WHERE count = 2"],
    "known -> packs": [
        "INSERT INTO known VALUES (1, 99 << 10)",
        "UPDATE known SET body = body + 1000",
    ],
    "packs -> known": [
        "DELETE FROM known WHERE key = (SELECT max(key) FROM known)",
        "DELETE FROM known WHERE body >> 10 = 1",
        "INSERT INTO known SELECT -1, max(body) FROM known",
    ],
    "listed -> kinds": ["UPDATE listed SET kind_id = 99 WHERE manifest_id = 7 AND snapshot_id = 1"],
    "listed -> parents": ["UPDATE listed SET parent_id = 99 WHERE snapshot_id = 1"],
    "scopes -> manifests": [
        "UPDATE listed SET manifest_id = 99 WHERE kind_id = (SELECT id FROM kinds WHERE name = 'thread')",
        "UPDATE manifests SET sha = NULL",
    ],
    "scopes -> snapshots": ["UPDATE listed SET snapshot_id = 99 WHERE snapshot_id = 1"],
    "snapshots -> endpoints": ["UPDATE snapshots SET endpoint_id = 99"],
    "snapshots -> digest": ["UPDATE snapshots SET digest = NULL"],
    "missing -> snapshots": ["INSERT INTO missing VALUES (99, 'file', '', 'file-x', NULL, 'gone', 0)"],
    "contents -> blobs": ["DELETE FROM blobs", "UPDATE blobs SET sha = NULL"],
    "contents -> endpoints": ["UPDATE contents SET endpoint_id = 99"],
    "chunks -> blobs": ["UPDATE chunks SET blob_id = 99 WHERE ordinal = 1"],
    "journal -> plans": ["DELETE FROM plans", "UPDATE journal SET state = 'perhaps'"],
}


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Archive]:
    filled(tmp_path / "estate.db")
    with Archive.open(tmp_path / "estate.db", write=True) as archive:
        write(archive)
        sides = Side("azure-openai", "https://east"), Side("openai", "https://west")
        Journal(archive, "digest", *sides).record_intent([("create", "assistant", "", "asst_1", "A")])
        archive.conn.execute("PRAGMA foreign_keys = OFF")
        yield archive


def test_every_rule_has_a_way_to_break_it(whole: Archive) -> None:
    assert set(BREAKS) == set(CHECKED_REFERENCES)
    assert check_archive(whole.conn).damage == ()
    assert check_archive(whole.conn).references == CHECKED_REFERENCES


@pytest.mark.parametrize(("between", "change"), [(k, sql) for k, rows in BREAKS.items() for sql in rows])
def test_a_broken_reference_is_reported(whole: Archive, between: str, change: str) -> None:
    whole.conn.execute(change)
    told = [damage for damage in check_archive(whole.conn).damage if damage.which.startswith(f"{between}: ")]
    assert told
    assert all(
        damage.why in [rule.why for rule in REFERENCE_RULES if rule.between == between] for damage in told
    )
    if between in ("spans -> packs", "snapshots -> endpoints"):
        assert {number for damage in told for number in damage.snapshots} == {1, 2}


def test_no_rule_looks_at_every_row_for_every_row(whole: Archive) -> None:
    """A left join without an index does: it took most of the time of a check."""
    for rule in REFERENCE_RULES:
        steps = [row[3] for row in whole.conn.execute(f"EXPLAIN QUERY PLAN {rule.sql}")]
        assert steps
        assert not [step for step in steps if step.startswith("SCAN") and "JOIN" in step], rule.between
