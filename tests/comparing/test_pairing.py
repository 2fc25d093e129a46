"""Which object is which: in one place an id says it alone, between two places more may."""

from __future__ import annotations

from tests.comparing.by_hand import assistant, compared, holding, message, thread, told
from tests.comparing.generated import HERE


def test_an_object_made_anew_in_one_place_is_another_object() -> None:
    """Whoever knows it by its id does not find it any more, however alike the new one is."""
    store = {"object": "vector_store", "name": "Papers", "status": "completed"}
    file = {"object": "file", "filename": "a.txt", "bytes": 1, "purpose": "assistants"}
    old, new = (
        holding(
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
    assert told(compared(old, new, (HERE, HERE))) == expected
    assert told(compared(old, new)) == []


def test_a_file_in_one_place_is_not_guessed_because_others_have_ids() -> None:
    file = {"object": "file", "filename": "a.txt", "bytes": 1, "purpose": "assistants"}
    old, new = (holding(assistant("asst_1"), file=[{"id": f"file-{n}", **file}]) for n in (1, 2))
    assert len(compared(old, new, (HERE, HERE)).changes) == 2
