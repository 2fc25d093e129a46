"""The Assistants routes of Azure OpenAI for a generated estate. It can only be read."""

from __future__ import annotations

from benchmarks.estate import Estate, number_of_id, thread_id
from benchmarks.service.list_pages import Query, envelope, page

EMPTY_PAGE = envelope(b"", None, False)


class GeneratedEstate:
    """Answers GET requests."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def answer(self, method: str, parts: list[str], query: Query, body: bytes) -> bytes | None:
        """The body of an answer; None is a 404. `parts`: the parts of the path after the prefix of the
        service."""
        shape, estate = self.estate.shape, self.estate
        if method != "GET":
            return None
        match parts:
            case ["files"] | ["vector_stores"] | ["threads", _, "runs"]:
                return EMPTY_PAGE
            case ["assistants"]:
                rows = estate.assistants
                return page(
                    query, len(rows), lambda positions: b",".join(rows[n] for n in positions), _assistant
                )
            case ["threads"]:
                return page(query, shape.threads, self._threads, thread_id)
            case ["threads", id_, "messages"]:
                number = number_of_id(id_)
                return page(
                    query,
                    shape.messages,
                    lambda positions: estate.rows(number, positions),
                    lambda position: f"msg_{number:08}{position:016}",
                )
            case ["threads", id_] if number_of_id(id_) < shape.threads:
                return estate.thread(number_of_id(id_))
        return None

    def _threads(self, positions: range) -> bytes:
        return b",".join(self.estate.thread(number) for number in positions)


def _assistant(number: int) -> str:
    return f"asst_{number:024}"
