"""Assistants that name each other: which must be made first, and which can never be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrate.model import KINDS, Entity
from migrate.model.references import references_of


class AssistantDependencies:
    """Who names whom among the assistants of an estate."""

    def __init__(self, assistants: Mapping[str, Entity]) -> None:
        form = KINDS["assistant"]
        self._names = {
            id_: {o for _, kind, o in references_of(form, entity) if kind == "assistant" and o in assistants}
            for id_, entity in assistants.items()
        }

    def in_circle(self, one: str, other: str) -> bool:
        """Whether `other` leads back to `one`: then neither can be made first."""
        seen: set[str] = set()
        waiting = [other]
        while waiting:
            at = waiting.pop()
            if at == one:
                return True
            if at not in seen:
                seen.add(at)
                waiting += self._names.get(at, ())
        return False

    def waves(self) -> Iterator[list[str]]:
        """Ids in groups: each names only ids of earlier groups, circles apart."""
        needed = {
            id_: {other for other in others if not self.in_circle(id_, other)}
            for id_, others in self._names.items()
        }
        done: set[str] = set()
        while len(done) < len(needed):
            wave = [id_ for id_, others in needed.items() if id_ not in done and others <= done]
            yield wave
            done.update(wave)
