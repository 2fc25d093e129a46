"""What is known of the tools of a project beside what the codec does with them, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping

from tools.docs.support_matrix.tables import told

TOOLS = """The types that `azure-openai` and `openai` lack are tools of classic agents. Ids of connections
are those of the target's project: by the same short name, or by `[connections]`. A connection that the
target lacks blocks the assistant, since a project checks no reference when an agent is made (S). Whether an
id of the same project's classic side may be used unchanged is unverified (?); it is looked up in the
project's own list first. Headers and authorizations are never written to any target: a project shows them
to every reader in clear (S)."""

NEWER = """A tool without an older form goes from one project to another as it stands. Types in preview are
written as they are; no header that turns previews on is sent (see below). Those of whole generations of
products (`web_iq`, `work_iq`, `fabric_iq`) are known by their names only."""

ITEMS = """A conversation also holds what its responses did. Such items are archived whole."""

HEAD = ("older type", "type in a project", "how", "how sure the newer form is")

_SURE = told("""
function | S. `strict` left out was never seen, so it is always said (A: it is required)

code_interpreter | S, an empty list of files as well. `memory_limit` A

file_search | S. Number of results and ranking options A, in no recording. The newer generation knows
other rankers than the older one: a default is translated

bing_grounding | S. `market`, `set_lang`, `count`, `freshness` A

bing_custom_search | S. It could also be a `web_search` with a configuration of its own (A); that is not
done

azure_ai_search | S, with `top_k` and `filter`. `index_asset_id` A

openapi | S without sign-in. Sign-in by connection or identity A

azure_function | S. Read and written as raw JSON: the older SDK's attribute `storage_service_endpoint` is
`queue_service_endpoint` on the wire

mcp | S with `require_approval` and a connection. `allowed_tools` A. Approval is joined by `server_label`.
Templates in label or address are refused (S)

fabric_dataagent | S

sharepoint_grounding | S

browser_automation | S with `_preview`. The SDK also has the type without it, in no recording

computer_use_preview | A. The SDK also has `computer`; which models take which was not looked at (?)
""")
SURE: Mapping[str, str] = {row[0]: row[1] for row in _SURE}
"""Older type -> how sure its newer form is. Every row of the codec's table has one."""
