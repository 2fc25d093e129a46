"""The result of comparing the messages of one thread with those of its counterpart on the target."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.model import Entity
from migrate.model.results.plan import Action


@dataclass
class MessageComparison:
    """The messages of a thread beside those of its counterpart.

    `count`: messages that are replayed. `attached`: source ids of the files that they attach. `matched`: how
    many have a counterpart. `gone`: messages on the target that the source no longer has. `left`: items of
    the very thread that was read, which are never replayed. `extra`: messages on the target by others.
    `mismatch`: the first message that differs, the id of its counterpart and a field. `updates`: actions for
    messages whose metadata differs."""

    count: int = 0
    attached: set[str] = field(default_factory=set)
    matched: int = 0
    gone: int = 0
    left: int = 0
    extra: int = 0
    mismatch: tuple[Entity, str, str] | None = None
    updates: list[Action] = field(default_factory=list)

    @property
    def standing(self) -> int:
        """How many messages of the target come before those that are appended."""
        return self.matched + self.gone + self.left
