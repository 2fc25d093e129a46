"""Wire JSON <-> canonical model, one codec per wire family. Pure: no network, no disk.

Writing is two steps: `adapt` makes an object fit the target and tells the losses, `create_wire` and
`update_wire` change its shape without losing anything more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from migrate.codecs import adapt, text_messages
from migrate.codecs.adapt import Target
from migrate.codecs.adapt import message as family_message
from migrate.codecs.assistants import decode as assistants_decode
from migrate.codecs.assistants import encode
from migrate.codecs.assistants.decode import Surroundings
from migrate.codecs.capabilities import Profile, profile_for
from migrate.codecs.config_directory import TYPE as CONFIG
from migrate.codecs.config_directory import parse as config_decoding
from migrate.codecs.foundry import adapt_agent as foundry_adapt
from migrate.codecs.foundry import adapt_message as foundry_message
from migrate.codecs.foundry import agent_names as foundry_names
from migrate.codecs.foundry import decode as foundry_read
from migrate.codecs.foundry import encode as foundry_write
from migrate.codecs.text_messages import Words
from migrate.codecs.write_forms import foundry
from migrate.model import JSON, Entity
from migrate.model.loss import Loss


@dataclass(frozen=True)
class Codec:
    """One wire family: how to read its JSON, make objects fit it, and write them.

    `update_wire` takes the object as it should be, the fields to change and the object as it is there.
    `unsaid` says why something in a thread is not replayed ('' for a message). `opening` is the key of
    first messages in the request that creates a thread. `name_all` chooses addresses where names are
    addresses: (source id, name) rows and the names taken in, source id -> name out.
    """

    decode: Callable[[str, Mapping[str, JSON], str, Surroundings | None], list[Entity]]
    adapt: Callable[[Entity, Target], tuple[Entity, list[Loss]]]
    create_wire: Callable[[Entity], dict[str, JSON]]
    update_wire: Callable[[Entity, frozenset[str], Entity | None], dict[str, JSON]]
    updatable: Mapping[str, tuple[str, ...]]
    unsaid: Callable[[Entity, Target], str]
    words: Callable[[Mapping[str, JSON]], Words | None] = lambda body: None
    """The words of a message that is nothing else; None sends it the long way."""
    bare_words: bool = False
    """Whether a message of words alone is written without anything of ours, such as a stamp."""
    tries: Callable[[Entity], bool] = lambda entity: False
    """Whether an adapted message has a form that the service was never seen to accept, nor to refuse."""
    opening: str = "messages"
    name_all: Callable[[Iterable[tuple[str, str]], Collection[str]], dict[str, str]] | None = None


_ASSISTANTS = Codec(
    decode=assistants_decode.decode,
    adapt=adapt.adapt,
    create_wire=encode.create_wire,
    update_wire=encode.update_wire,
    updatable=encode.UPDATABLE,
    unsaid=family_message.unsaid,
    words=text_messages.of_message,
)

_PROJECT = Codec(
    decode=foundry_read.decode,
    adapt=partial(
        adapt.adapt, rules=foundry_adapt.RULES, wire=foundry_write.create_wire, bodies=foundry.body
    ),
    create_wire=foundry_write.create_wire,
    update_wire=foundry_write.update_wire,
    updatable=foundry_write.UPDATABLE,
    unsaid=foundry_message.unsaid,
    words=text_messages.of_item,
    bare_words=True,
    tries=foundry_message.tries,
    opening="items",
    name_all=foundry_names.name_all,
)

_DIRECTORY = Codec(
    decode=config_decoding.decode,
    adapt=config_decoding.refused,
    create_wire=config_decoding.refused,
    update_wire=config_decoding.refused,
    updatable={},
    unsaid=config_decoding.refused,
)

CODECS: Mapping[str, Codec] = {
    "azure-openai": _ASSISTANTS,
    "openai": _ASSISTANTS,
    "foundry-classic": _ASSISTANTS,
    "foundry": _PROJECT,
    CONFIG: _DIRECTORY,
}
"""Type of an estate -> the codec of its wire family; a config directory is only read."""

__all__ = ["CODECS", "Codec", "Profile", "Surroundings", "Target", "Words", "profile_for"]
