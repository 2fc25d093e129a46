"""What each field of `Capabilities` means, and how sure its value is for each service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Mark -> where a number comes from. Where two sources disagree, the smaller number is used.
MARKS: Mapping[str, str] = {
    "A": "in the service's API description, or in the SDK generated from it",
    "D": "in its documentation",
    "R": "was reported by users",
    "S": "was seen in a recording of the real service",
    "M": "was measured: what the service's own SDK sends, or does with an answer",
    "?": "unverified: taken from a similar service, or a careful assumption",
    "-": "does not arise, or is decided by this program",
}


@dataclass(frozen=True)
class Limit:
    """`sure`: one mark for each service, in the order of `CAPABILITIES`."""

    sure: str
    what: str


# Field of `Capabilities` -> what it means. A test of the documentation requires every field.
LIMITS: Mapping[str, Limit] = {
    "name_max": Limit("A A ? ?", "characters of a name; longer ones are cut, lost"),
    "description_max": Limit("A A ? A", "characters of a description; cut, lost"),
    "instructions_max": Limit("A A ? ?", "characters of instructions when an object is created; cut, lost"),
    "instructions_modify_max": Limit(
        "A A ? ?",
        "characters of instructions in an update; longer ones are left out and reported. The API "
        "description of Azure has a smaller number for updates than for creation",
    ),
    "tools_max": Limit("A A D D", "tools of one assistant; the rest is lost"),
    "tool_types": Limit("A A A A", "tools that can be written, by their older names; others are lost"),
    "code_files_max": Limit(
        "A A A ?", "files for the code interpreter of one assistant or thread; the rest is lost"
    ),
    "stores_per_owner_max": Limit(
        "A A A D",
        "vector stores of one assistant or thread; the rest is lost. According to the documentation of "
        "`foundry` it is "
        "one; the SDK accepts a list",
    ),
    "limits_not_enforced": Limit(
        "- - - ?",
        "the two limits above are documented and not enforced: what an object of the same service "
        "stores is not cut",
    ),
    "store_files_max": Limit(
        "D D D D",
        "files of one vector store; the rest is blocked. OpenAI accepts more for stores created since "
        "November "
        "2025",
    ),
    "text_max": Limit(
        "A A D ?",
        "characters of one text part; longer text arrives as several parts. Azure's quota page has a "
        "larger number; "
        "Foundry's page is about threads, not conversations",
    ),
    "metadata_pairs": Limit("A A A A", "metadata keys; the rest is lost"),
    "metadata_key_max": Limit("A A A A", "characters of a metadata key; longer ones are lost"),
    "metadata_value_max": Limit("A A A A", "characters of a metadata value; longer ones are lost"),
    "attributes": Limit("A A A ?", "when attributes of a file in a store are written, if at all"),
    "chunking": Limit("A A A ?", "a chunking strategy can be written"),
    "json_schema": Limit("A A A S", "`response_format` may be a `json_schema`"),
    "required_function_fields": Limit(
        "A A A A",
        "required fields of a function; a missing one is written empty, adapted (`strict`: as false)",
    ),
    "resources": Limit("- - A A", "further branches of `tool_resources` that can be stored"),
    "roles": Limit(
        "A A A ?",
        "roles of messages that are written as they are; others become `user`, adapted. In recorded "
        "conversations only `user` and `assistant` were written",
    ),
    "store_description": Limit("A A A ?", "a vector store has a description"),
    "connected_models": Limit(
        "- - ? D", "a model may be `CONNECTION/MODEL`, one that a connection of the project reaches"
    ),
    "definition": Limit(
        "- - - A", "`definition`, which only agents of the newer generation have, can be stored"
    ),
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
    "files_total": Limit("D A D D", "bytes of all files together; more is reported once"),
    "purposes": Limit(
        "A A A ?",
        "purposes that can be uploaded. For `foundry` two were recorded: `assistants` and `fine-tune`",
    ),
    "image_purpose": Limit("? A A ?", "the purpose of an image that a tool created"),
    "searchable_extensions": Limit(
        "- - ? S",
        "file name extensions that a vector store accepts; any other is blocked, unless the source is "
        "the same "
        "service and searches the file. Recorded once, in the refusal of a `.csv`",
    ),
    "lists_threads": Limit("- - A S", "threads can be listed: a listing without an answer is a failure"),
    "templates": Limit(
        "- - - S", "`{{name}}` in instructions and ids is replaced at run time; the plan warns"
    ),
    "creates_identities": Limit(
        "- - - S", "each new agent also creates an Entra identity; the plan reports how many"
    ),
    "keeps_deleted_items": Limit(
        "- - - A", "items stay when their conversation is deleted, so they are deleted before it"
    ),
    "shared_with": Limit(
        "- - ? ?",
        "types of source that may share their files and vector stores, under the same ids. Each id is "
        "looked up; "
        "what does not exist is copied",
    ),
}
