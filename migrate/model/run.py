"""Runs and their steps: what a model did, when, at what cost. Archived and compared, never replayed."""

from collections.abc import Mapping

from migrate.model.entity import JSON
from migrate.model.kinds import SERVER_SET_FACTS, Kind, Ref

# States in which a run stays as it is, and so do its steps.
FINAL_RUN_STATES = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})


def run_has_ended(run: Mapping[str, JSON]) -> bool:
    """Whether a run, as its service shows it, and its steps will not change any more."""
    return run.get("status") in FINAL_RUN_STATES


def run_may_add_steps(run: Mapping[str, JSON], now: float) -> bool:
    """Whether a run may be making steps at a moment (seconds since 1970): not when its time is over, even if
    the service has not called it expired yet."""
    until = run.get("expires_at")
    over = isinstance(until, (int, float)) and 0 < until < now
    return not run_has_ended(run) and not over


RUN_KIND = Kind(
    name="run",
    plural="runs",
    parent="thread",
    fields=(
        "assistant_id",
        "status",
        "model",
        "instructions",
        "tools",
        "tool_resources",
        "metadata",
        "temperature",
        "top_p",
        "response_format",
        "reasoning_effort",
        "max_prompt_tokens",
        "max_completion_tokens",
        "truncation_strategy",
        "tool_choice",
        "parallel_tool_calls",
        "required_action",
        "last_error",
        "incomplete_details",
        "usage",
    ),
    facts={
        **SERVER_SET_FACTS,
        "thread_id": "follows from where it lies",
        "expires_at": "set by the server",
        "started_at": "set by the server",
        "cancelled_at": "set by the server",
        "failed_at": "set by the server",
        "completed_at": "set by the server",
    },
    refs=(Ref("assistant_id", "assistant"),),
    replayed=False,
)

RUN_STEP_KIND = Kind(
    name="run_step",
    plural="run_steps",
    parent="thread",
    fields=("run_id", "assistant_id", "type", "status", "step_details", "last_error", "metadata", "usage"),
    facts={
        **SERVER_SET_FACTS,
        "thread_id": "follows from where it lies",
        "expires_at": "set by the server",
        "expired_at": "set by the server",
        "cancelled_at": "set by the server",
        "failed_at": "set by the server",
        "completed_at": "set by the server",
    },
    refs=(
        Ref("run_id", "run"),
        Ref("assistant_id", "assistant"),
        Ref("step_details.tool_calls[].code_interpreter.outputs[].image.file_id", "file"),
        Ref("step_details.tool_calls[].file_search.results[].file_id", "file"),
    ),
    replayed=False,
)
