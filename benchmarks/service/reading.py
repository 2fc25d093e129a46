"""A generated estate as the Assistants routes of Azure OpenAI show it: reading only."""

from __future__ import annotations

from benchmarks.estate import Estate, number_of, thread_id
from benchmarks.service.listing import Query, envelope, page

NONE = envelope(b"", None, False)


class Generated:
    """Answers GET; None is a 404."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def answer(self, method: str, parts: list[str], query: Query, body: bytes) -> bytes | None:
        """The body of an answer. `parts` are those of the path, the service's own prefix taken away."""
        shape, estate = self.estate.shape, self.estate
        if method != "GET":
            return None
        match parts:
            case ["files"] | ["vector_stores"] | ["threads", _, "runs"]:
                return NONE
            case ["assistants"]:
                rows = estate.assistants
                return page(query, len(rows), lambda wanted: b",".join(rows[n] for n in wanted), _assistant)
            case ["threads"]:
                return page(query, shape.threads, self._threads, thread_id)
            case ["threads", id_, "messages"]:
                number = number_of(id_)
                return page(
                    query,
                    shape.messages,
                    lambda wanted: estate.rows(number, wanted),
                    lambda place: f"msg_{number:08}{place:016}",
                )
            case ["threads", id_] if number_of(id_) < shape.threads:
                return estate.thread(number_of(id_))
        return None

    def _threads(self, wanted: range) -> bytes:
        return b",".join(self.estate.thread(number) for number in wanted)


def _assistant(number: int) -> str:
    return f"asst_{number:024}"
