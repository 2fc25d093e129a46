"""States that make an object useless are compared; beside a config directory they are at least reported."""

from __future__ import annotations

from pathlib import Path

from migrate.archive import Archive
from migrate.stages.config_directory import read
from migrate.stages.config_directory.read import DirectoryOptions
from migrate.stages.diff.run import diff
from migrate.stages.export.run import ExportOptions, export
from tests.diff.generated_estates import HERE, Body, archive_estate
from tests.diff.small_estates import archive_of, compared


def store(status: str) -> Body:
    return {"id": "vs_1", "object": "vector_store", "name": "Papers", "status": status}


def test_a_store_that_expired_differs() -> None:
    old, new = (archive_of(vector_store=[store(status)]) for status in ("completed", "expired"))
    (change,) = compared(old, new, (HERE, HERE)).changes
    assert [path.path for path in change.paths] == ["status"]


def test_beside_a_directory_it_is_reported(tmp_path: Path) -> None:
    """An export of an estate is equal to it, but the report must show that the store cannot be searched."""
    expired = archive_of(vector_store=[store("expired")], vector_store_file_of_vs_1=[])
    with Archive.temporary() as archive:
        estate = archive_estate(archive, expired)
        export(estate, ExportOptions(tmp_path / "agents"))
        with read.open_directory(DirectoryOptions(tmp_path / "agents")) as (files, _):
            for found in (diff(files, estate), diff(estate, files)):
                assert found.exit_code == 0
                assert found.left_out == (
                    "the state of 1 vector_store: expired; a config directory has no states",
                )
