"""An assistant (or a Foundry agent): model, instructions, tools, and the files and stores of the tools.

The canonical form is that of the older generation: functions are nested, files and stores are in
`tool_resources`. Settings of the new generation only (structured inputs, reasoning summaries) are in
`definition`.
"""

from migrate.model.kinds import SERVER_SET_FACTS, Kind, Ref

ASSISTANT_KIND = Kind(
    name="assistant",
    plural="assistants",
    fields=tuple(
        "name description model instructions tools tool_resources temperature top_p response_format"
        " reasoning_effort definition metadata".split()
    ),
    facts={
        **SERVER_SET_FACTS,
        "version": "counted by the service; of older versions only the served one is read",
        "portal": "metadata that the portal writes; settings chosen in the portal are copied to a project",
        "served": "versions that users get besides the newest; a move writes one version",
        "service": "created by the service: state, identity, endpoint",
    },
    refs=(
        Ref("tool_resources.code_interpreter.file_ids[]", "file"),
        Ref("tool_resources.file_search.vector_store_ids[]", "vector_store"),
        Ref("tools[].vector_store_ids[]", "vector_store"),
        Ref("tools[].container.file_ids[]", "file"),
        Ref("tools[].environment.file_ids[]", "file"),
        Ref("tools[].input_image_mask.file_id", "file"),
        Ref("tools[].connected_agent.id", "assistant"),
    ),
    aliases=("file_ids",),
)

# Where an assistant refers to a connection of its project, by a short name or a full resource id.
CONNECTION_PATHS = (
    "tools[].bing_grounding.search_configurations[].connection_id",
    "tools[].bing_custom_search.search_configurations[].connection_id",
    "tools[].openapi.auth.security_scheme.connection_id",
    "tools[].fabric_dataagent.connections[].connection_id",
    "tools[].sharepoint_grounding.connections[].connection_id",
    "tools[].browser_automation.connection.id",
    "tools[].browser_automation.connection.project_connection_id",
    "tools[].deep_research.bing_grounding_connections[].connection_id",
    "tools[].azure_ai_search.indexes[].project_connection_id",
    "tools[].project_connection_id",
    "tools[].custom_search_configuration.project_connection_id",
    "tool_resources.azure_ai_search.indexes[].index_connection_id",
)
