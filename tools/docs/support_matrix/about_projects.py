"""Facts about Foundry projects that no codec computes: their addresses, and the shapes of their objects."""

from __future__ import annotations

from collections.abc import Mapping

from tools.docs.support_matrix.tables import Row, parse_rows

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

_SURE = parse_rows("""
function | S. `strict` left out was never seen, so it is always sent (A: it is required)

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
# Older type -> how sure its newer form is. Every row of the codec's table has one.
SURE: Mapping[str, str] = {row[0]: row[1] for row in _SURE}


ASKED = parse_rows("""
two interfaces | agents, deployments and connections lie under the project's address with
`api-version=v1`; conversations, files and stores under `/openai/v1` without a version, where users report
trouble with one | M R

classic agents | lie at the same address: `/assistants`, `/threads`, with `api-version=v1` | A S

sign-in | Entra (scope `https://ai.azure.com/.default`) or a token. A key was seen on agents only; classic
agents are described with none, and a key for them is refused at once | A S; a key elsewhere ?

tokens over plain http | to this machine only, for rehearsals. The SDK refuses them even then, until set
otherwise for each request | M

making agents | `POST /agents/NAME/versions`. `POST /agents` and `POST /agents/NAME` are described too and
not used; `PATCH` changes the endpoint only | A M

repeating requests | reads only, and writes that were turned away (429). Both SDKs would repeat a creating
request after an error, without a key that distinguishes the two: switched off | M

a lost answer | what became of it is read back before anything is sent again | -

pages of agents | asked for 100 at a time; ended by `has_more`. The SDK's own loop looks at `last_id` only
| S M

pages of conversations and items | asked for oldest first, 100 at a time; without that a service gives 20,
newest first. Filters (by agent, by type of item) are not used | A S

pages of deployments and connections | follow the link to the next one, never to another host | A

the header that turns previews on | is not sent. Kinds in preview and drafts would need it (403 without);
tools in preview were written without it in recordings | A S

`x-ms-user-identity` | is not sent. Data that a project keeps apart per end user by it is neither read nor
written in that user's name | D; effect on listings ?

an agent's own endpoint | is not used | M

time | 10 seconds for a connection, 120 for an answer; for agents, what the SDK has | M

throttling | a wait that the service asks for is kept, up to a minute. No recording of agents,
conversations, files or stores names a rate | S

errors | of three families of bodies, reported in the service's words, never recognised by them | S

basic and standard setup | are not distinguished. What standard setup keeps in your own storage is not
touched | D
""")

AGENTS = parse_rows("""
id | the name is the address; there is no other id. A version is `NAME:NUMBER` | D S

names that collide | two assistants of one name would become versions of one agent: each gets the end of
its id. Whether `Desk` and `desk` are one agent is unknown, so more than case tells names apart | A; case
?

names against the rule | exist in projects and are read | S

description and metadata | belong to the version, not to the agent | A S

changing an agent | adds a version, written whole. What the portal keeps in metadata (`logo`,
`voiceLiveConfig`, `description`, `modified_at`) goes along | S

the same version again | is compared first and not sent. Two recordings answer it with the old version,
one report mentions hundreds of equal ones | S R

what metadata says | only what stays the same between runs (`migrated_from`, `migrated_name`): other
metadata alone makes a version | S

definition | comes back as it was sent, so every key counts; defaults show in responses only | S

a definition that is wrong | the SDK checks nothing. What a project says to a key it does not know was not
seen | M ?

references | files, stores and connections are checked by this program; the service takes any | S

models | must be among the project's deployments. Sampling numbers are lost for deployments whose model is
named like a reasoning model (o1 and its kin, gpt-5 without chat): a guess by name | A; by name ?

`{{name}}` in instructions | is replaced at run time from structured inputs; the plan warns. What becomes
of a name that is not declared is unknown | S ?

temperature, top_p | go from 0 to 2 and from 0 to 1 in every generation; not checked | A

instructions | how many characters a project takes is unknown; the older limit is used | ?

a key of an agent, a version or a conversation that no description mentions | compared, and reported as not
movable | A

state, endpoint, card, identity, blueprint | archived as facts of the service, not recreated. Agents are
made enabled; who may call them is for you to set | S

identities | each new agent makes one in Entra; the plan says how many | S

10,000 files of one agent or thread | documented, not checked | D

deleting (`--prune`) | deletes the agent with all its versions. `force` concerns hosted agents only and is
not sent | A
""")

CONVERSATIONS = parse_rows("""
ids and times | made by the service; ids of one's own are refused (R). The id map has old and new | S R

metadata and time of a message, its assistant and its run | an item has none of them; the archive does | S

order | requests of up to 20 items, one after the other; two of them kept theirs, 40 of 40. Then the
conversation is read back, every item in its place | S

21 items in one request | 400; never sent | S

`type: message` and `annotations: []` | always sent: reports of refusals without them | R S

who says what | `input_text` for `user`, `output_text` for `assistant`. The other way round was not tried;
roles `system` and `developer` were not seen written | A ?

images by file, papers by file | written as `input_image` and `input_file` with `file_id`; not seen on a
conversation | A ?

images inside their address (`data:`) | refused in reports about agents, taken in one recording without an
agent: a line names the image instead; between projects it is tried, and the line written where that is
refused | R S

`phase`, `namespace`, outputs of calls in several parts, files inside an item | the OpenAI platform took them
in recordings, no project was seen to: between projects they are tried, and the plan reports it. What is
refused arrives without them, an output as one text | S ?

citations | a new one needs file name and place, one of a container needs the container: left out | A

calls of functions | with both halves, between projects; half a call breaks later responses | S R

steps of classic runs | not made into items: calls of code need a container that no longer exists | A

files and stores of a thread | documents speak of one store per conversation; no way to attach one was
found. They are made, and named in the metadata (`migrated_files`, `migrated_vector_stores`): the
application passes them on | D ?

keys of items that is not known | are compared, and reported as lost; the keys that the service sets are known
(`id`, `status`, `created_by`, `partition_key`) | S

attachments | the files are moved; which message had them stands in the archive | A

length | 100,000 messages are documented for threads; for conversations nothing is. A long conversation is
cut for the model and stored whole | D ?

an agent | is not needed to fill a conversation. A response names it as `agent_reference`; `agent` is
refused in reports, and was taken in a recording of March 2026 | M R S

changing an item | cannot be done. A message that differs blocks its thread in the plan | A

deleting (`--prune`) | deletes the conversation. By the SDK's words its items stay behind; they cannot be
reached by any address seen | A S
""")

STORED = parse_rows("""
one project, both generations | files of classic agents and new ones were seen in one list. Stores, and
files of an Azure OpenAI resource in the same account, are unverified. Where id, name, size and members
agree, files and stores are used where they are; `--copy-files` copies them | S ?

uploads | `purpose` and `file`, nothing else. A file that is still taken in is waited for, half a minute |
S

expiry of a file | not written. The SDK has it, a project was not seen with it | M ?

file kinds | a table (`.csv`, `.xlsx`) is refused when it is attached to a store, not when it is uploaded
| S

attaching | up to 500 files a request, the smaller of two documented numbers, of one chunking each; a
request names ids or rows, never both. A store's own chunking counts only for files named when it is made,
and none is. A refused request is tried file by file | D; such requests to a project ?

ingestion | waited for (`--wait`), refusals reported by file. Attaching embeds a file again, which takes time
and may cost money | S ?

searching a store | is not tried: the route answered 404 in a project. A report mentions files that stayed
unsearchable though attached | R

tokens of one file | 2 or 5 million, documents disagree; not checked | D

stores of one agent | one, by the documents; the SDK takes a list | D M

an expired store | has settings and files, and cannot be searched: recreated, its clock starts again | D

stores of attachments | expire after seven days without use by default | D

`data_sources`, `vector_stores` in `tool_resources`, `data_source` of an attachment | name assets of a
workspace: lost | A

deleting a file | takes it out of every store and agent: `--prune` never deletes files | D
""")

SECTIONS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    ("Agents of a project", AGENTS),
    ("Conversations of a project", CONVERSATIONS),
    ("Files and stores of a project", STORED),
    ("How a project is asked", ASKED),
)
