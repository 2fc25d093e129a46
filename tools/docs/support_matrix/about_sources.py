"""What no codec computes about any service: what is read, what is never written, and older shapes."""

from __future__ import annotations

from tools.docs.support_matrix.tables import Row, parse_rows

FACTS = """These fields are set by the service. They are kept in the archive. The plan reports each that
occurs once per kind, as adapted; `object`, `bytes_from` and `bytes_reported` are left out of it, and runs and
steps are reported as a whole."""

EQUAL = """`diff`, `plan` and `verify` take these as the same, because a service answers either for the
other. Each pair is compared when this page is made. Message text is never touched. Headers and
authorizations of tools are compared by a fingerprint."""

RUNS = """Archived whole, compared within one estate, never written to any target: creating a run executes a
model. What a classic run was given beside its assistant (`tool_choice`, `truncation_strategy`, limits of
tokens, `parallel_tool_calls`, additional instructions and messages) has no place at rest; the application
says it with each response. A project refuses some of it where an agent is named: a response format per call
gets a 400 (R)."""

READ = parse_rows("""
assistants, threads, messages, runs, steps of `azure-openai` and `openai` | read where the service still
answers. By their documents both ended on 26 August 2026 | D; what a retired Azure resource answers, and
whether it keeps threads: ?

the same of `foundry-classic` | read whole, threads by listing; they end on 31 March 2027 | D; the listing
S

agents of `foundry` | the newest version of each is read | S

older versions of an agent, and drafts | not read, not made. A draft is never the newest version | A

conversations and their items | read whole, by listing | S; the SDK has no call for the listing

responses | not read: they cannot be listed. What they did stands among the items of a conversation | M

agents of other kinds than `prompt` | archived as they are, compared, never made | A

workflows, datasets, indexes, memory stores, evaluations, fine-tuning jobs | not read | -

deployments and connections | looked at by `doctor`, `assess` and `plan`; not archived, not made. Their
secrets are never asked for | A

batches of files in stores | not read: no service lists them. The files are | A

files | read with their bytes where the service gives them. Files of purpose `assistants`: OpenAI refuses
(R), classic agents do not give back what was uploaded (D), Azure and the new generation ? | R D ?

bytes that the service does not return | taken from `--originals`, else the text that a store read out
of the file: then
`bytes_from` is `parsed`, and the upload is called `NAME.parsed.txt`, a loss | the route to that text: D;
one report of a 404 on Azure (R); on a project ?

a source that is closed to writing (an account may forbid new assistants by a tag) | is read all the same:
nothing is ever written to a source | D

threads that are not moved | stay readable through the older interface until it ends | D

fields that is not known | archived, compared within one service, reported as lost | -
""")

OLDER = parse_rows("""
objects of API version 2024-02-15-preview | upgraded when they are read from the archive, which keeps them
as they came | A

`retrieval` | becomes `file_search` with one vector store of the assistant's files | R

`file_ids` of an assistant | become `tool_resources` | R

`file_ids` of a message | become `attachments` for every file tool in use | R

vector stores, read with that version | are not shown: read with a later one when you can | R
""")

SECTIONS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    ("What is read, and what is not", READ),
    ("Older shapes", OLDER),
)
