"""Wire JSON <-> canonical model, one codec per wire family. Pure: no network, no disk.

Writing is two steps: `adapt` makes an object fit the target and tells the losses, `create_wire` and
`update_wire` change its shape without losing anything more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrate.codecs import adapt, assistants_read, assistants_write
from migrate.codecs.adapt import Target
from migrate.codecs.assistants_read import Surroundings
from migrate.codecs.profile import Profile, profile_for
from migrate.model import JSON, Entity
from migrate.model.loss import Loss


@dataclass(frozen=True)
class Codec:
    """One wire family: how to read its JSON, make objects fit it, and write them."""

    decode: Callable[[str, Mapping[str, JSON], str, Surroundings | None], list[Entity]]
    adapt: Callable[[Entity, Target], tuple[Entity, list[Loss]]]
    create_wire: Callable[[Entity], dict[str, JSON]]
    update_wire: Callable[[Entity, frozenset[str]], dict[str, JSON]]
    updatable: Mapping[str, tuple[str, ...]]


_ASSISTANTS = Codec(
    decode=assistants_read.decode,
    adapt=adapt.adapt,
    create_wire=assistants_write.create_wire,
    update_wire=assistants_write.update_wire,
    updatable=assistants_write.UPDATABLE,
)

CODECS: Mapping[str, Codec] = {"azure-openai": _ASSISTANTS, "openai": _ASSISTANTS}
"""Service type -> the codec of its wire family."""

__all__ = ["CODECS", "Codec", "Profile", "Surroundings", "Target", "profile_for"]
