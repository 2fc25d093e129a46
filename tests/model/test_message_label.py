"""The label of a message has its time, role and first words."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.model.entity import Entity
from migrate.model.message_label import object_label

# 1,700,000,000 seconds since 1970.
TIME = "2023-11-14 22:13"


def message(*parts: Any, role: str = "user", created_at: Any = 1_700_000_000) -> Entity:
    return Entity(
        "message", "msg_1", "thread_1", {"role": role, "content": list(parts)}, {"created_at": created_at}
    )


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": []}}


@pytest.mark.parametrize(("given", "label"), [
    (message(text("How often?")), f"{TIME} user: How often?"),
    (message(text("How often?"), role="assistant", created_at=None), "assistant: How often?"),
    (message(text(f"Water {'the roses ' * 9}")), f"{TIME} user: Water the roses the roses the roses the…"),
    (message(text("two\n lines\t here")), f"{TIME} user: two lines here"),
    (message(text("日本" * 30)), f"{TIME} user: {'日本' * 20}…"),
    (message({"type": "image_file", "image_file": {}}), f"{TIME} user: (image_file)"),
    (message(), f"{TIME} user"),
    (message({"type": "function_call", "arguments": "{}"}, role="item", created_at=0), "item function_call"),
    (message("odd", 1, None, created_at="no time"), "user"),
    (message(text("x"), created_at=1e300), "user: x"),
    (Entity("file", "file_1", fields={"filename": "a.md"}), "a.md"),
])  # fmt: skip
def test_a_label_has_time_role_and_text(given: Entity, label: str) -> None:
    assert object_label(given) == label


def test_a_label_has_no_credential() -> None:
    secret = "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL"
    label = object_label(message(text(f"use {secret} please")))
    assert "sk-abc" not in label
    assert "user: use " in label
