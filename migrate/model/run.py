"""Runs and their steps: what a model did, when, at what cost. Archived and compared, never replayed."""

from migrate.model.kinds import SERVER_MADE, Kind, Ref

RUN = Kind(
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
        **SERVER_MADE,
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

RUN_STEP = Kind(
    name="run_step",
    plural="run_steps",
    parent="thread",
    fields=("run_id", "assistant_id", "type", "status", "step_details", "last_error", "metadata", "usage"),
    facts={
        **SERVER_MADE,
        "thread_id": "follows from where it lies",
        "expires_at": "set by the server",
        "expired_at": "set by the server",
        "cancelled_at": "set by the server",
        "failed_at": "set by the server",
        "completed_at": "set by the server",
    },
    refs=(Ref("run_id", "run"), Ref("assistant_id", "assistant")),
    replayed=False,
)
