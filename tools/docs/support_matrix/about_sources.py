"""Facts about all services that no codec computes: what is read, what is never written, and older forms."""

from __future__ import annotations

from tools.docs.support_matrix.tables import Row, declared_rows

FACTS = """These fields are set by the service. They stay in the archive. The plan reports each field
once for each kind, as adapted; `object`, `bytes_from` and `bytes_reported` are not reported, and runs and
steps are reported as a whole."""

EQUAL = """`diff`, `plan` and `verify` treat these as equal, because a service may return either form.
Each pair is compared when this page is written. Message text is never changed. Headers and
authorizations of tools are compared by a fingerprint."""

RUNS = """Archived whole, compared within one estate, never written to any target: creating a run executes a
model. The parameters of a classic run besides its assistant (`tool_choice`, `truncation_strategy`, limits of
tokens, `parallel_tool_calls`, additional instructions and messages) are stored nowhere else; the
application passes them with each response. A project refuses some of them where an agent is named: a response
format per call gets a 400 (R)."""

READ = declared_rows("""
assistants, threads, messages, runs, steps of `azure-openai` and `openai` | read where the service still
answers. According to the documentation both ended on 26 August 2026 | D; what a retired Azure resource
answers, and whether it keeps threads: ?

the same of `foundry-classic` | read whole, threads by listing; they end on 31 March 2027 | D; the listing
S

agents of `foundry` | the newest version of each is read | S

older versions of an agent, and drafts | not read, not created. A draft is never the newest version | A

conversations and their items | read whole, by listing | S; the SDK has no method for the listing

responses | not read: they cannot be listed. The items of a conversation contain what they did | M

agents of other kinds than `prompt` | archived unchanged, compared, never created | A

workflows, datasets, indexes, memory stores, evaluations, fine-tuning jobs | not read | -

deployments and connections | read by `doctor`, `assess` and `plan`; not archived, not created. Their
secrets are never requested | A

batches of files in stores | not read: no service lists them. The files are | A

files | read with their bytes where the service returns them. Files of purpose `assistants`: OpenAI refuses
(R), classic agents do not return what was uploaded (D), Azure and the new generation ? | R D ?

bytes that no service returns | taken from `--originals`, else the text that a store parsed from the file:
then
`bytes_from` is `parsed`, and the upload is called `NAME.parsed.txt`, a loss | the route to that text: D;
one report of a 404 on Azure (R); on a project ?

a source that is closed to writing (an account may forbid new assistants by a tag) | is read:
nothing is ever written to a source | D

threads that are not moved | stay readable through the older interface until it ends | D

unknown fields | archived, compared within one service, reported as lost | -
""")

OLDER = declared_rows("""
objects of API version 2024-02-15-preview | upgraded when they are read from the archive, which stores them
unchanged | A

`retrieval` | becomes `file_search` with one vector store of the assistant's files | R

`file_ids` of an assistant | become `tool_resources` | R

`file_ids` of a message | become `attachments` for every file tool in use | R

vector stores, read with that version | are not shown: read with a later version if possible | R
""")

SECTIONS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    ("What is read, and what is not", READ),
    ("Older forms", OLDER),
)
