"""Read and write the plan file. A plan is applied exactly as it was reviewed: any edit is noticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from migrate.archive.database import check_not_an_archive
from migrate.errors import BadUsage, PlanEdited
from migrate.files.output import write_text
from migrate.files.text import MAX_PLAN_FILE_BYTES, read_text
from migrate.model.input_limits import JSONTooDeep, loads
from migrate.model.results.plan import Plan

FORMAT = 1
WRITE_PLAN_HINT = "write one: plan -o FILE"


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan. Only its owner may read the file, because it contains names of objects."""
    check_not_an_archive(path)
    write_text(path, [json.dumps(plan.model_dump(), indent=1, ensure_ascii=True), "\n"])


def from_document(document: bytes) -> Plan:
    """Read a plan that its archive stores. Raises `PlanEdited` when it is not what was written."""
    try:
        plan = Plan.model_validate(json.loads(document))
    except (ValueError, RecursionError):  # a ValidationError is one, and so is what is no JSON
        plan = None
    if plan is None or plan.digest != plan.compute_digest():
        raise PlanEdited(
            "a plan that the archive stores is not as it was written",
            "its fingerprint does not match",
            "find out what else is damaged: check ARCHIVE",
        )
    return plan


def read_plan(path: Path) -> Plan:
    """Read a plan. Raises `BadUsage` when it is none, `PlanEdited` when it was changed by hand."""
    text = read_text(path, WRITE_PLAN_HINT, MAX_PLAN_FILE_BYTES)
    try:
        data: Any = loads(text)
    except (JSONTooDeep, RecursionError):
        raise BadUsage(f"{path} is not a plan", "it is nested too deeply", WRITE_PLAN_HINT) from None
    except ValueError as error:
        raise BadUsage(f"{path} is not a plan", f"it is not JSON: {error}", WRITE_PLAN_HINT) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadUsage(f"{path} is not a plan", "its format is unknown to this version", WRITE_PLAN_HINT)
    try:
        plan = Plan.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PlanEdited(
            f"{path} is not as it was written",
            f"{place}: {first['msg']}",
            "run plan again and read the new one",
        ) from None
    if plan.digest != plan.compute_digest():
        raise PlanEdited(
            f"{path} is not as it was written",
            "its fingerprint does not match: it was edited by hand",
            "change the plan with options of `plan`, not in the file",
        )
    return plan
