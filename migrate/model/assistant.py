"""An assistant (or a Foundry agent): model, instructions, tools and what they may use."""

from migrate.model.kinds import SERVER_MADE, Kind, Ref

KIND = Kind(
    name="assistant",
    plural="assistants",
    fields=(
        "name",
        "description",
        "model",
        "instructions",
        "tools",
        "tool_resources",
        "temperature",
        "top_p",
        "response_format",
        "reasoning_effort",
        "metadata",
    ),
    facts=SERVER_MADE,
    refs=(
        Ref("tool_resources.code_interpreter.file_ids[]", "file"),
        Ref("tool_resources.file_search.vector_store_ids[]", "vector_store"),
        Ref("tools[].connected_agent.id", "assistant"),
    ),
    stamped=True,
    aliases=("file_ids",),
)
