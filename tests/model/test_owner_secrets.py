"""Secrets that only the owner of an assistant sets are left out of it, whatever stands in their place."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.model.entity import Entity
from migrate.model.secrets import remove_owner_secrets

ROW = {"server_label": "files", "headers": {"authorization": "secret"}, "require_approval": "never"}


def resources(rows: Any) -> Any:
    entity = Entity("assistant", "asst_1", fields={"tool_resources": {"mcp": rows}})
    return remove_owner_secrets(entity).fields["tool_resources"]["mcp"]


def test_a_row_without_anything_else_is_left_out() -> None:
    assert resources([ROW, {**ROW, "require_approval": None}, {"server_label": "x", "headers": {}}]) == [
        {"server_label": "files", "require_approval": "never"},
        {"server_label": "files", "require_approval": None},
    ]


@pytest.mark.parametrize("odd", [None, 7, "text", [1], True])
def test_what_is_no_row_stays(odd: Any) -> None:
    assert resources([odd, ROW]) == [odd, {"server_label": "files", "require_approval": "never"}]
    assert resources(odd) == odd
