"""A size and a seed in, an estate out that is written only where somebody looks.

A page of messages is a template with a mark in place of the thread's number: a page costs one `replace`,
and a million messages cost the memory of a few dozen pages. Ids differ everywhere, texts repeat after
`VARIANTS` threads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.wording import writer

Body = dict[str, Any]

VARIANTS = 32
# Stands where eight digits of the thread's number go; occurs in no text.
MARK = b"@@@@@@@@"
EPOCH = 1_740_000_000


@dataclass(frozen=True)
class Shape:
    """How much there is."""

    threads: int
    messages: int
    assistants: int = 10
    seed: int = 1
    # Threads after which texts repeat.
    variants: int = VARIANTS

    @property
    def objects(self) -> int:
        """Everything that a snapshot holds."""
        return self.assistants + self.threads * (1 + self.messages)


def thread_id(number: int) -> str:
    return f"thread_{number:024}"


def number_of(id_: str) -> int:
    """The number at the end of any id of ours."""
    return int(id_[-16:])


class Estate:
    """Rows as JSON text, in the shape in which Azure OpenAI gives them."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._pages: dict[tuple[int, range], bytes] = {}

    @cached_property
    def assistants(self) -> list[bytes]:
        """Every assistant."""
        return [_text(assistant(n, self.shape.seed)) for n in range(self.shape.assistants)]

    def thread(self, number: int) -> bytes:
        """One thread."""
        return _text(
            {
                "id": thread_id(number),
                "object": "thread",
                "created_at": EPOCH + number,
                "metadata": {"customer": f"{number % 997}"},
                "tool_resources": {},
            }
        )

    def rows(self, thread: int, places: range) -> bytes:
        """Messages of a thread at these places, joined by commas."""
        key = (thread % self.shape.variants, places)
        if key not in self._pages:
            said = self._said[key[0]]
            self._pages[key] = b",".join(said[place] for place in places)
        return self._pages[key].replace(MARK, b"%08d" % thread)

    def messages(self, thread: int) -> Iterator[Body]:
        """The messages of a thread as objects."""
        yield from json.loads(b"[%s]" % self.rows(thread, range(self.shape.messages)))

    @cached_property
    def _said(self) -> list[list[bytes]]:
        return [
            [_text(row) for row in _talk(self.shape.messages, self.shape.seed * 1_000 + variant)]
            for variant in range(min(self.shape.variants, self.shape.threads))
        ]


def assistant(number: int, seed: int) -> Body:
    """One assistant with a function and instructions of some length."""
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
    words = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
    return {"name": f"find_order_{number}", "description": "Finds an order.", "parameters": words}


def _talk(length: int, seed: int) -> Iterator[Body]:
    write, mark = writer(seed), MARK.decode()
    for place in range(length):
        role = ("user", "assistant")[place % 2]
        yield {
            "id": f"msg_{mark}{place:016}",
            "object": "thread.message",
            "created_at": EPOCH + 60 * place,
            "assistant_id": f"asst_{0:024}" if role == "assistant" else None,
            "thread_id": f"thread_{0:016}{mark}",
            "run_id": None,
            "role": role,
            "content": [{"type": "text", "text": {"value": write(role), "annotations": []}}],
            "attachments": [],
            "metadata": {},
        }


def _text(row: Body) -> bytes:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()
