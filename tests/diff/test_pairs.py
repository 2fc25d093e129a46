"""Pairing of objects: by id within one resource, by further evidence between two resources."""

from __future__ import annotations

import itertools

from tests.diff.generated_estates import HERE, Generated
from tests.diff.small_estates import archive_of, assistant, changes_of, compared, message, thread


def test_an_object_created_again_in_one_resource_is_another_object() -> None:
    """References by id do not find it any more, even if the new one is equal."""
    store = {"object": "vector_store", "name": "Papers", "status": "completed"}
    file = {"object": "file", "filename": "a.txt", "bytes": 1, "purpose": "assistants"}
    old, new = (
        archive_of(
            assistant(f"asst_{n}"),
            vector_store=[{"id": f"vs_{n}", **store}],
            file=[{"id": f"file-{n}", **file}],
            thread=[thread(f"thread_{n}")],
            **{f"message_of_thread_{n}": [message(f"msg_{n}", "Hello")]},
        )
        for n in (1, 2)
    )
    ids = {"file": "file-", "vector_store": "vs_", "assistant": "asst_", "thread": "thread_"}
    expected = [
        change
        for kind, id_ in ids.items()
        for change in ((kind, "removed", f"{id_}1", ""), (kind, "added", "", f"{id_}2"))
    ]
    assert changes_of(compared(old, new, (HERE, HERE))) == expected
    assert changes_of(compared(old, new)) == []


def test_a_file_in_one_place_is_not_guessed_because_others_have_ids() -> None:
    file = {"object": "file", "filename": "a.txt", "bytes": 1, "purpose": "assistants"}
    old, new = (archive_of(assistant("asst_1"), file=[{"id": f"file-{n}", **file}]) for n in (1, 2))
    assert len(compared(old, new, (HERE, HERE)).changes) == 2


FILE = {"object": "file", "filename": "notes.txt", "bytes": 3, "purpose": "assistants"}
STORE = {"object": "vector_store", "status": "completed"}


def stocked(prefix: str, order: list[int]) -> Generated:
    """A file of the same name and size in each of three stores, and one of an assistant, listed in a given
    order."""
    stores = [{"id": f"{prefix}vs{n}", "name": f"Papers {n}", **STORE} for n in range(3)]
    rows = {
        f"vector_store_file_of_{prefix}vs{n}": [
            {"id": f"{prefix}file{n}", "file_id": f"{prefix}file{n}", "status": "completed"}
        ]
        for n in range(3)
    }
    tools = {"code_interpreter": {"file_ids": [f"{prefix}file3"]}}
    files = [{"id": f"{prefix}file{n}", **FILE} for n in order]
    return archive_of(
        assistant(f"{prefix}asst", tool_resources=tools), vector_store=stores, file=files, **rows
    )


def test_files_of_one_name_and_size_are_distinguished_by_their_stores() -> None:
    for order in itertools.permutations(range(4)):
        assert changes_of(compared(stocked("a", [0, 1, 2, 3]), stocked("b", list(order)))) == []


def test_a_file_in_another_store_is_still_found() -> None:
    left, right = stocked("a", [0, 1, 2, 3]), stocked("b", [3, 2, 1, 0])
    right.bodies["vector_store_file"]["bvs0"] = []
    found = compared(left, right)
    assert changes_of(found) == [("vector_store_file", "removed", "afile0", "")]
