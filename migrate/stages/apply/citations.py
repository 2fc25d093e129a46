"""Whether a service takes the citations that are written with messages. No recording shows it.

The first request of an apply that has citations is the probe, and no other worker sends any until its outcome
is known. The answer is in the journal, so that an apply that continues keeps it, and `verify` knows it.
"""

from __future__ import annotations

import threading

from migrate.archive.journal import (
    CITATIONS_ACTION,
    CITATIONS_DROPPED,
    CITATIONS_NOT_TAKEN,
    CITATIONS_REFUSED,
    CITATIONS_TAKEN,
    Journal,
)

# Answer -> how the service treated citations, as the text of a note.
LOSS_REASONS = {
    CITATIONS_REFUSED: "the service refused the first message that had some, and took it without them",
    CITATIONS_DROPPED: "the service stored the first message that had some without them",
    CITATIONS_TAKEN: "the service took others, and not these; verify names the messages",
}


class CitationProbe:
    """The state of the probe in one apply. Several threads use it.

    `answer`: as in the journal, '' while unknown.
    """

    def __init__(self, journal: Journal, answer: str) -> None:
        self._journal = journal
        self.answer = answer
        # Held by the worker that sends the first citations.
        self.turn = threading.Lock()
        # Citations, and messages, that were found on the target without what was planned.
        self.lost = 0
        self._messages = 0
        self._lock = threading.Lock()

    @property
    def are_taken(self) -> bool:
        return self.answer == CITATIONS_TAKEN

    @property
    def are_lost(self) -> bool:
        """Whether messages are written without citations."""
        return self.answer in CITATIONS_NOT_TAKEN

    def settle(self, answer: str, thread: str, message: str) -> None:
        """Record the answer of the service to a message (its ids on the source). Only the first one
        counts."""
        with self._lock:
            if self.answer:
                return
            (entry,) = self._journal.record_intent([(CITATIONS_ACTION, "message", thread, message, "")])
            self._journal.record_done(entry, None, written=answer)
            self.answer = answer

    def count(self, planned: int, present: int) -> None:
        """Count the citations that a message on the target lacks."""
        if present < planned:
            with self._lock:
                self.lost += planned - present
                self._messages += 1

    def loss_note(self) -> str:
        """What was lost and why, in one sentence, or ''."""
        if not self.lost:
            return ""
        why = LOSS_REASONS.get(self.answer, "the service did not store them")
        return (
            f"{self.lost:,} citation(s) in {self._messages:,} message(s) are not on the target: {why}; "
            "the archive has them"
        )
