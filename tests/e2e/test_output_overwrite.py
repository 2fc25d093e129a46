"""An output never replaces an archive, and never a file that this program did not write."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, is_create
from tests.e2e.running import World, options

REFUSED = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}


def test_a_plan_is_not_written_over_an_archive(small: World) -> None:
    small.snapshot()
    before = Path(small.db).read_bytes()
    said = small.plain("plan", small.db, "target", "-o", small.db)
    said.error(4, "is an archive")
    assert Path(small.db).read_bytes() == before


def test_a_report_is_not_written_over_an_archive(small: World) -> None:
    small.snapshot()
    said = small.plain("diff", small.db, small.db, "-o", small.db)
    said.error(4, "is an archive")
    assert small("check", small.db).ok()["ok"] is True


def test_a_file_of_others_with_equal_name_and_size_is_not_adopted(launch: Launch) -> None:
    fault = FixedAnswer(is_create("/files"), status=400, body=REFUSED)
    target = options("TARGET_KEY", service="openai", list_threads="works", downloads=False)
    world = launch(None, target, wrap_target=fault)
    world.snapshot()
    files = world.source.estate.files
    strangers = {}
    for id_, file in files.items():
        stranger = f"file-stranger{len(strangers)}"
        strangers[stranger] = id_
        world.target.estate.files[stranger] = {**file, "id": stranger}
    world.planned()
    assert world.apply().code == 3
    assert fault.spoiled
    world.apply()
    taken = {row["target_id"] for row in world("ids", world.db).ok()}
    assert not taken & strangers.keys()


def test_files_of_a_service_that_refuses_to_page_them_are_read(launch: Launch) -> None:
    fault = FixedAnswer(
        lambda method, path, query: method == "GET" and path.endswith("/files") and "vector" not in path
        and any(name in query for name in ("limit", "order", "after")),
        last=10_000, status=400, body=REFUSED,
    )  # fmt: skip
    world = launch(wrap_source=fault)
    assert world.snapshot()["counts"]["file"] == len(world.source.estate.files)
