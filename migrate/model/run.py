"""The kinds `run` and `run_step`: what a model did in a thread, when, and at what cost.

Both are archived and compared, and never created on a target."""

from collections.abc import Mapping

from migrate.model.entity import JSON
from migrate.model.kinds import SERVER_SET_FACTS, Kind, Ref

# States in which neither a run nor its steps change any more.
FINAL_RUN_STATES = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})


def run_has_ended(run: Mapping[str, JSON]) -> bool:
    """Whether a run has ended, so that neither it nor its steps will change."""
    return run.get("status") in FINAL_RUN_STATES


def run_may_add_steps(run: Mapping[str, JSON], now: float) -> bool:
    """Whether a run may add steps at `now` (seconds since 1970). Not after its expiry time, even if its state
    is not `expired` yet."""
    expires_at = run.get("expires_at")
    is_expired = isinstance(expires_at, (int, float)) and 0 < expires_at < now
    return not run_has_ended(run) and not is_expired


RUN_KIND = Kind(
    name="run",
    plural="runs",
    parent="thread",
    fields=tuple(
        "assistant_id status model instructions tools tool_resources metadata temperature top_p"
        " response_format reasoning_effort max_prompt_tokens max_completion_tokens truncation_strategy"
        " tool_choice parallel_tool_calls required_action last_error incomplete_details usage".split()
    ),
    facts={
        **SERVER_SET_FACTS,
        "thread_id": "follows from its thread",
        **dict.fromkeys(
            "expires_at started_at cancelled_at failed_at completed_at".split(), "set by the server"
        ),
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
        "thread_id": "follows from its thread",
        **dict.fromkeys(
            "expires_at expired_at cancelled_at failed_at completed_at".split(), "set by the server"
        ),
    },
    refs=(
        Ref("run_id", "run"),
        Ref("assistant_id", "assistant"),
        Ref("step_details.tool_calls[].code_interpreter.outputs[].image.file_id", "file"),
        Ref("step_details.tool_calls[].file_search.results[].file_id", "file"),
    ),
    replayed=False,
)
