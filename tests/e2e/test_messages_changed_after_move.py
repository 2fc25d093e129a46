"""Messages that changed after they were moved: other metadata, or other content."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Launch
from tests.e2e.running import World


def moved(launch: Launch) -> tuple[World, dict[str, Any], str, str]:
    """The world, the messages of a thread on the source, its first message, and that one on the target."""
    world = launch()
    world.snapshot()
    world.planned()
    assert world.apply().code == 0
    messages = next(m for m in world.source.estate.messages.values() if len(m) > 1)
    old = next(iter(messages))
    new = next(row["target_id"] for row in world("ids", world.db, old).ok())
    return world, messages, old, new


def there(world: World, id_: str) -> tuple[dict[str, Any], dict[str, Any]]:
    messages = next(m for m in world.target.estate.messages.values() if id_ in m)
    return messages, messages[id_]


def test_metadata_that_changed_is_written(launch: Launch) -> None:
    world, messages, old, new = moved(launch)
    messages[old] = {**messages[old], "metadata": {"team": "night"}}
    world.snapshot()
    assert world.planned()["actions"]["update"] == 1
    assert world.apply().ok()["updated"] == 1
    assert there(world, new)[1]["metadata"]["team"] == "night"
    assert "migrated_from" in there(world, new)[1]["metadata"]
    assert world("verify", world.plan).ok()["ok"] is True
    assert world.planned()["actions"]["update"] == 0


def test_a_message_that_is_another_now_is_reported(launch: Launch) -> None:
    world, _, old, new = moved(launch)
    messages, message = there(world, new)
    content = [{"type": "text", "text": {"value": "somebody else's words", "annotations": []}}]
    messages[new] = {**message, "content": content}
    said = world("plan", world.db, "target", "-o", world.plan)
    blocked = [loss for loss in said.ok(1)["losses"] if loss["grade"] == "blocked"]
    assert [loss["id"] for loss in blocked] == [old]
    applied = world.apply().ok(3)
    assert [failure["id"] for failure in applied["failed"]] == [old]
    assert world("verify", world.plan).ok(1)["ok"] is False
