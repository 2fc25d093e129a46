"""What each limit of `Profile` is, and how sure it is for each service: one row per field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Mark -> where a number comes from. Where two sources disagree, the smaller number is used.
MARKS: Mapping[str, str] = {
    "A": "stands in the service's API description, or in the SDK made from it",
    "D": "stands in its documentation",
    "R": "was reported by users",
    "S": "was seen in a recording of the real service",
    "M": "was measured: what the service's own SDK sends, or does with an answer",
    "?": "unverified: taken over from a sibling, or assumed on the careful side",
    "-": "does not arise, or is decided by this program",
}


@dataclass(frozen=True)
class Limit:
    """`sure` has one mark per service, in the order of `PROFILES`."""

    sure: str
    what: str


# Field of `Profile` -> what it is. A test of the documentation asks for every field.
LIMITS: Mapping[str, Limit] = {
    "name_max": Limit("A A ? ?", "characters of a name; longer ones are cut, lost"),
    "description_max": Limit("A A ? A", "characters of a description; cut, lost"),
    "instructions_max": Limit("A A ? ?", "characters of instructions when an object is created; cut, lost"),
    "instructions_modify_max": Limit(
        "A A ? ?",
        "characters of instructions in an update; longer ones are left out and reported. Azure's "
        "description of the update names less than that of the creation",
    ),
    "tools_max": Limit("A A D D", "tools of one assistant; the rest is lost"),
    "tool_types": Limit("A A A A", "tools that can be written, by their older names; others are lost"),
    "code_files_max": Limit(
        "A A A ?", "files for the code interpreter of one assistant or thread; the rest is lost"
    ),
    "stores_per_owner_max": Limit(
        "A A A D",
        "vector stores of one assistant or thread; the rest is lost. For `foundry` the documents say one, "
        "the SDK takes a list",
    ),
    "limits_not_enforced": Limit(
        "- - - ?",
        "the two limits above stand in documents only: what an object of the same service holds already is "
        "not cut",
    ),
    "store_files_max": Limit(
        "D D D D",
        "files of one vector store; the rest is blocked. OpenAI takes more for stores made since November "
        "2025",
    ),
    "text_max": Limit(
        "A A D ?",
        "characters of one text part; longer text arrives as several parts. Azure's quota page names more; "
        "Foundry's page speaks of threads, not of conversations",
    ),
    "metadata_pairs": Limit("A A A A", "metadata keys; the rest is lost"),
    "metadata_key_max": Limit("A A A A", "characters of a metadata key; longer ones are lost"),
    "metadata_value_max": Limit("A A A A", "characters of a metadata value; longer ones are lost"),
    "attributes": Limit("A A A ?", "when attributes of a file in a store are written, if at all"),
    "chunking": Limit("A A A ?", "a chunking strategy can be written"),
    "json_schema": Limit("A A A S", "`response_format` may be a `json_schema`"),
    "required_function_fields": Limit(
        "A A A A", "what a function must say; what is missing is written empty, adapted (`strict`: as false)"
    ),
    "resources": Limit("- - A A", "further branches of `tool_resources` that have a place"),
    "roles": Limit(
        "A A A ?",
        "roles of messages that are written as they are; others become `user`, adapted. In recorded "
        "conversations only `user` and `assistant` were written",
    ),
    "store_description": Limit("A A A ?", "a vector store has a description"),
    "connected_models": Limit(
        "- - ? D", "a model may be `CONNECTION/MODEL`, one that a connection of the project reaches"
    ),
    "definition": Limit("- - - A", "what only agents of the newer generation say (`definition`) has a place"),
    "reasoning_effort": Limit("A A A A", "an assistant has `reasoning_effort`"),
    "messages_per_create_max": Limit(
        "? R ? S", "messages in the request that creates a thread; the others follow"
    ),
    "messages_per_append_max": Limit(
        "A A A S", "messages in each request after that, one request after the other"
    ),
    "batch_max": Limit(
        "A A ? D", "files attached with one request. OpenAI's SDK names 2,000; the smaller number is used"
    ),
    "batch_rows": Limit("A A A ?", "a batch may give each file its own chunking and attributes"),
    "messages_max": Limit("- - D ?", "messages of one thread; 0: no limit is documented"),
    "file_max": Limit("D D D D", "bytes of one file; a larger one is blocked"),
    "files_total": Limit("D A D D", "bytes of all files together; a larger total is reported once"),
    "purposes": Limit(
        "A A A ?",
        "purposes that can be uploaded. For `foundry` two were recorded: `assistants` and `fine-tune`",
    ),
    "image_purpose": Limit("? A A ?", "what an image becomes that a tool made"),
    "searchable_extensions": Limit(
        "- - ? S",
        "endings of files that a vector store takes; any other is blocked, unless the source is the same "
        "service and searches the file. Recorded once, in the refusal of a `.csv`",
    ),
    "lists_threads": Limit(
        "- - A S", "threads are listed by the service: one that does not answer is a failure, not its way"
    ),
    "templates": Limit(
        "- - - S", "`{{name}}` in instructions and ids is replaced at run time; the plan warns"
    ),
    "creates_identities": Limit(
        "- - - S", "each new agent also makes an Entra identity; the plan says how many"
    ),
    "shared_with": Limit(
        "- - ? ?",
        "types of source whose files and stores may lie in the same place under the same ids. Looked at id "
        "by id; what is not there is copied",
    ),
}
