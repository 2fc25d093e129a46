"""A generated estate of a given size and seed. Its rows are made when they are requested.

A page of messages is a template with a placeholder for the number of the thread. So a page costs one
`replace`, and a million messages need the memory of a few dozen pages. All ids are different; texts repeat
after `VARIANTS` threads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.message_texts import writer

Body = dict[str, Any]

VARIANTS = 32
# Placeholder for the eight digits of the thread's number. It occurs in no text.
THREAD_MARK = b"@@@@@@@@"
EPOCH = 1_740_000_000


@dataclass(frozen=True)
class Shape:
    """The size of an estate."""

    threads: int
    messages: int
    assistants: int = 10
    seed: int = 1
    # The texts of messages repeat after this many threads.
    variants: int = VARIANTS

    @property
    def objects(self) -> int:
        """The number of objects in a snapshot of it."""
        return self.assistants + self.threads * (1 + self.messages)


def thread_id(number: int) -> str:
    return f"thread_{number:024}"


def number_of_id(id_: str) -> int:
    """The number at the end of a generated id."""
    return int(id_[-16:])


class Estate:
    """The rows of an estate as JSON text, in the format of Azure OpenAI."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._pages: dict[tuple[int, range], bytes] = {}

    @cached_property
    def assistants(self) -> list[bytes]:
        """Every assistant."""
        return [_json_bytes(assistant(n, self.shape.seed)) for n in range(self.shape.assistants)]

    def thread(self, number: int) -> bytes:
        """One thread."""
        return _json_bytes(
            {
                "id": thread_id(number),
                "object": "thread",
                "created_at": EPOCH + number,
                "metadata": {"customer": f"{number % 997}"},
                "tool_resources": {},
            }
        )

    def rows(self, thread: int, positions: range) -> bytes:
        """The messages of a thread at these positions, joined by commas."""
        key = (thread % self.shape.variants, positions)
        if key not in self._pages:
            variant_rows = self._messages_by_variant[key[0]]
            self._pages[key] = b",".join(variant_rows[position] for position in positions)
        return self._pages[key].replace(THREAD_MARK, b"%08d" % thread)

    def messages(self, thread: int) -> Iterator[Body]:
        """The messages of a thread as objects."""
        yield from json.loads(b"[%s]" % self.rows(thread, range(self.shape.messages)))

    @cached_property
    def _messages_by_variant(self) -> list[list[bytes]]:
        return [
            [_json_bytes(row) for row in _messages(self.shape.messages, self.shape.seed * 1_000 + variant)]
            for variant in range(min(self.shape.variants, self.shape.threads))
        ]


def assistant(number: int, seed: int) -> Body:
    """One assistant with a function tool and long instructions."""
    write = writer(seed + number % 50)
    return {
        "id": f"asst_{number:024}",
        "object": "assistant",
        "created_at": EPOCH + number,
        "name": f"assistant {number}",
        "description": write("user"),
        "model": "gpt-4o",
        "instructions": " ".join(write("assistant") for _ in range(3)),
        "tools": [{"type": "function", "function": _function(number)}],
        "top_p": 1.0,
        "temperature": 1.0,
        "tool_resources": {},
        "metadata": {"team": f"team {number % 7}", "number": str(number)},
        "response_format": "auto",
    }


def _function(number: int) -> Body:
    parameters = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
    return {"name": f"find_order_{number}", "description": "Finds an order.", "parameters": parameters}


def _messages(length: int, seed: int) -> Iterator[Body]:
    write, mark = writer(seed), THREAD_MARK.decode()
    for position in range(length):
        role = ("user", "assistant")[position % 2]
        yield {
            "id": f"msg_{mark}{position:016}",
            "object": "thread.message",
            "created_at": EPOCH + 60 * position,
            "assistant_id": f"asst_{0:024}" if role == "assistant" else None,
            "thread_id": f"thread_{0:016}{mark}",
            "run_id": None,
            "role": role,
            "content": [{"type": "text", "text": {"value": write(role), "annotations": []}}],
            "attachments": [],
            "metadata": {},
        }


def _json_bytes(row: Body) -> bytes:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()
