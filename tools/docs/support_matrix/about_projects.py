"""Facts about Foundry projects that no codec computes: addresses, and forms of objects."""

from __future__ import annotations

from collections.abc import Mapping

from tools.docs.support_matrix.tables import Row, declared_rows

TOOLS = """The types that `azure-openai` and `openai` lack are tools of classic agents. Ids of connections
are those of the target's project: with the same short name, or as `[connections]` maps them. A connection
that the target lacks blocks the assistant, because a project checks no reference when an agent is created
(S). Whether an id of the classic side of the same project can be used unchanged is unverified (?); it is
first looked up in the project's own list. Headers and authorizations are never written to a target: a project
shows them to every reader as plain text (S)."""

NEWER = """A tool without an older form is copied unchanged from one project to another. Preview types are
written unchanged; no header that enables previews is sent (see below). Of some product families (`web_iq`,
`work_iq`, `fabric_iq`) only the names are known."""

ITEMS = """A conversation also contains what its responses did. Such items are archived whole."""

HEAD = ("older type", "type in a project", "how", "how sure the newer form is")

_SURE = declared_rows("""
function | S. No recording leaves `strict` out, so it is always written (A: it is required)

code_interpreter | S, an empty list of files as well. `memory_limit` A

file_search | S. Number of results and ranking options A, in no recording. The newer generation has
other rankers than the older one: a default is translated

bing_grounding | S. `market`, `set_lang`, `count`, `freshness` A

bing_custom_search | S. It could also be a `web_search` with a configuration of its own (A); this is not
done

azure_ai_search | S, with `top_k` and `filter`. `index_asset_id` A

openapi | S without authentication. Authentication by connection or identity A

azure_function | S. Read and written as raw JSON: the older SDK's attribute `storage_service_endpoint` is
`queue_service_endpoint` on the wire

mcp | S with `require_approval` and a connection. `allowed_tools` A. Approval is joined by `server_label`.
Templates in label or address are refused (S)

fabric_dataagent | S

sharepoint_grounding | S

browser_automation | S with `_preview`. The SDK also has the type without it, in no recording

computer_use_preview | A. The SDK also has `computer`; which models accept which of them is unknown (?)
""")
# Older type -> how sure its newer form is. Every row of the codec's table has one.
SURE: Mapping[str, str] = {row[0]: row[1] for row in _SURE}


REQUESTS = declared_rows("""
two interfaces | agents, deployments and connections are under the project's address with
`api-version=v1`; conversations, files and stores under `/openai/v1` without a version, where users report
errors with a version | M R

classic agents | are at the same address: `/assistants`, `/threads`, with `api-version=v1` | A S

sign-in | Entra (scope `https://ai.azure.com/.default`) or a token. A key was seen on agents only; the
API description of classic agents has no key, and one for them is refused at once | A S; a key elsewhere ?

tokens over plain http | to this machine only, for rehearsals. The SDK refuses even that unless each
request allows it | M

creating agents | `POST /agents/NAME/versions`. `POST /agents` and `POST /agents/NAME` are documented too and
not used; `PATCH` changes the endpoint only | A M

repeating requests | reads, and writes that were refused with 429. Both SDKs would repeat a request that
creates an object after an error, without an idempotency key: switched off | M

a lost answer | the result is read back before anything is sent again | -

pages of agents | 100 in each request; `has_more` ends the list. The SDK's own loop uses `last_id` only
| S M

pages of conversations and items | oldest first, 100 in each request; by default a service returns 20,
newest first. Filters (by agent, by type of item) are not used | A S

pages of deployments and connections | follow the link to the next one, never to another host | A

the header that enables previews | is not sent. Kinds in preview and drafts would need it (403 without);
tools in preview were written without it in recordings | A S

`x-ms-user-identity` | is not sent. Data that a project separates by end user with it is neither read nor
written for that user | D; effect on listings ?

an agent's own endpoint | is not used | M

timeouts | 10 seconds for a connection, 120 for an answer; for agents, those of the SDK | M

throttling | the wait that the service requests is kept, up to a minute. No recording of agents,
conversations, files or stores contains a rate | S

errors | have bodies of three forms; the service's text is shown, and never used for a decision | S

basic and standard setup | are treated alike. What standard setup stores in your own storage is not
touched | D
""")

AGENTS = declared_rows("""
id | the name is the address; there is no other id. A version is `NAME:NUMBER` | D S

names that collide | two assistants with one name would become versions of one agent: each name gets the
end of its id. Whether `Desk` and `desk` are one agent is unknown, so names never differ in case only | A;
case ?

names that break the rule | exist in projects and are read | S

description and metadata | belong to the version, not to the agent | A S

changing an agent | adds a version, written whole. What the portal stores in metadata (`logo`,
`voiceLiveConfig`, `description`, `modified_at`) is written again | S

the same version again | is compared first and not sent. In two recordings the answer is the old version,
one report describes hundreds of equal versions | S R

content of metadata | only what stays the same between runs (`migrated_from`, `migrated_name`): changed
metadata alone creates a version | S

definition | is returned as it was sent, so every key is compared; defaults appear in responses only | S

an invalid definition | the SDK checks nothing. How a project answers to an unknown key was not
seen | M ?

references | files, stores and connections are checked by this program; the service accepts any | S

models | must be among the project's deployments. `temperature` and `top_p` are lost for deployments whose
model has the name of a reasoning model (o1 and similar, gpt-5 without chat): a guess from the name | A; by
name ?

`{{name}}` in instructions | is replaced at run time from structured inputs; the plan warns. What happens
to a name that is not declared is unknown | S ?

temperature, top_p | 0 to 2 and 0 to 1 in every generation; not checked | A

instructions | how many characters a project accepts is unknown; the older limit is used | ?

an undocumented key of an agent, a version or a conversation | compared, and reported as not movable | A

state, endpoint, card, identity, blueprint | archived as facts of the service, not recreated. Agents are
created enabled; you set who may call them | S

identities | each new agent creates one in Entra; the plan reports how many | S

10,000 files of one agent or thread | documented, not checked | D

deleting (`--prune`) | deletes the agent with all its versions. `force` is for hosted agents only and is
not sent | A
""")

CONVERSATIONS = declared_rows("""
ids and times | set by the service; chosen ids are refused (R). The id map has old and new | S R

metadata and time of a message, its assistant and its run | an item has none of them; they stay in the archive
| S

order | requests of up to 20 items, one after the other; a recording of two requests kept the order of
all 40 items. Then the conversation is read back and the place of every item is checked | S

21 items in one request | 400; never sent | S

`type: message` and `annotations: []` | always written: refusals without them were reported | R S

text parts | `input_text` for `user`, `output_text` for `assistant`. The reverse was not tried;
no recording writes the roles `system` and `developer` | A ?

images and files by id | written as `input_image` and `input_file` with `file_id`; not seen in a
conversation | A ?

images inside their address (`data:`) | reported to be refused for agents, accepted in one recording without
an agent: a line of text mentions the image instead. Between projects the image is tried first, and the line
is written if it is refused | R S

`phase`, `namespace`, outputs of calls in several parts, files inside an item | the OpenAI platform accepted
them in recordings, no recording shows a project: between projects they are tried, and the plan reports it. If
they are refused, the item is written without them, an output as one text, and `apply` and `verify` report
each as a loss | S ?

citations of files in answers | no recording shows a project that takes or refuses them. The first message
of an apply that has some is sent alone and read back: a 400 after which the same message without them is
stored, or a message that comes back without them, means that the project does not take them; then all are
sent without. `apply` and `verify` report each message as a loss, and end with 1 unless the plan was made
with `--accept-loss content.text.annotations`; the next plan knows it | A ?

other citations | of pages, of containers, of files that are not moved, without a position: left out | A

calls of functions | calls with their outputs, between projects; a call without its output breaks later
responses | S R

steps of classic runs | not written as items: calls of the code interpreter need a container that no longer
exists | A

files and stores of a thread | the documentation has one store per conversation, and no request that attaches
one. They are created, and named in the metadata (`migrated_files`, `migrated_vector_stores`): the
application passes them on | D ?

unknown keys of items | are compared, and reported as lost; the keys that the service sets are known
(`id`, `status`, `created_by`, `partition_key`) | S

attachments | the files are moved; the archive has the messages that named them | A

length | 100,000 messages are documented for threads; for conversations no limit is. A long conversation
is cut for the model and stored whole | D ?

an agent | is not needed to fill a conversation. A response names it as `agent_reference`; `agent`
is reported to be refused, and was accepted in a recording of March 2026 | M R S

changing an item | cannot be done. A message that differs blocks its thread in the plan | A

deleting (`--prune`) | deletes the conversation. According to the SDK its items stay; no known address
reads them | A S
""")

STORED = declared_rows("""
both generations in one project | files of classic agents and new ones were seen in one list. Stores, and
files of an Azure OpenAI resource in the same account, are unverified. Where id, name, size and members
are equal, files and stores are used in place; `--copy-files` copies them | S ?

uploads | `purpose` and `file` only. For a file that is still processed the program waits half a minute |
S

expiry of a file | not written. The SDK has it, no recording of a project does | M ?

file types | a table (`.csv`, `.xlsx`) is refused when it is attached to a store, not when it is uploaded
| S

attaching | up to 500 files in a request (the smaller of two documented numbers) with the same chunking; a
request has ids or rows, never both. The chunking of a store applies only to files in the request that creates
it, and there are none. After a refusal, files are attached one by one | D; such requests to a project ?

ingestion | the program waits (`--wait`) and reports refused files. Attaching a file embeds it again, which
takes time and may cost money | S ?

searching a store | is not tried: the route answered 404 in a project. Files that were attached and could not
be searched were reported | R

tokens of one file | 2 or 5 million (the documentation has both); not checked | D

stores of one agent | one, according to the documentation; the SDK accepts a list | D M

an expired store | has settings and files, and cannot be searched: recreated, and its period starts again | D

stores of attachments | expire after seven days without use by default | D

`data_sources`, `vector_stores` in `tool_resources`, `data_source` of an attachment | name assets of a
workspace: lost | A

deleting a file | removes it from every store and agent: `--prune` never deletes files | D
""")

SECTIONS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    ("Agents of a project", AGENTS),
    ("Conversations of a project", CONVERSATIONS),
    ("Files and stores of a project", STORED),
    ("Requests to a project", REQUESTS),
)
