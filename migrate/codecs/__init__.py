"""Wire JSON <-> canonical model, one codec per wire family. Pure: no network, no disk.

Writing is two steps: `adapt` makes an object fit the target and tells the losses, `encode_create` and
`encode_update` change its shape without losing anything more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from migrate.codecs import adapt, assistants, text_messages
from migrate.codecs.adapt import Target
from migrate.codecs.adapt import message as family_message
from migrate.codecs.assistants import DecodeContext
from migrate.codecs.capabilities import Capabilities, capabilities_for
from migrate.codecs.config_directory import CONFIG_TYPE as CONFIG
from migrate.codecs.config_directory import parse as config_decoding
from migrate.codecs.foundry import adapt_agent as foundry_adapt
from migrate.codecs.foundry import adapt_message as foundry_message
from migrate.codecs.foundry import agent_names as foundry_names
from migrate.codecs.foundry import decode as foundry_read
from migrate.codecs.foundry import encode as foundry_write
from migrate.codecs.text_messages import TextMessage
from migrate.codecs.write_forms import foundry
from migrate.model import JSON, Entity
from migrate.model.loss import Loss


@dataclass(frozen=True)
class Codec:
    """One wire family: how to read its JSON, fit objects to it, and write them.

    `update_request` takes the wanted object, the names of the fields to change, and the object on the target.
    `why_not_replayed` says why an item is not replayed ('' for a message). `first_messages_key` is
    the key of the first messages in the request that creates a thread. `assign_names` chooses addresses where
    names are addresses: it takes (source id, name) rows and the names in use, and returns source id -> name.
    """

    decode: Callable[[str, Mapping[str, JSON], str, DecodeContext | None], list[Entity]]
    adapt: Callable[[Entity, Target], tuple[Entity, list[Loss]]]
    create_request: Callable[[Entity], dict[str, JSON]]
    update_request: Callable[[Entity, frozenset[str], Entity | None], dict[str, JSON]]
    updatable: Mapping[str, tuple[str, ...]]
    why_not_replayed: Callable[[Entity, Target], str]
    # The words of a message that is nothing else; None sends it the long way.
    text_message: Callable[[Mapping[str, JSON]], TextMessage | None] = lambda body: None
    # Whether a message of words alone is written without anything of ours, such as a stamp.
    omits_stamp_on_text: bool = False
    # Whether an adapted message has a form that the service was never seen to accept, nor to refuse.
    is_unproven: Callable[[Entity], bool] = lambda entity: False
    first_messages_key: str = "messages"
    assign_names: Callable[[Iterable[tuple[str, str]], Collection[str]], dict[str, str]] | None = None
    # What an estate of this type is. The defaults are those of a service; a config directory differs in all.
    ids_are_keys: bool = False
    # Its owner chose the ids, so an equal id on another side names the same object, and a text that contains
    # an id names nothing.
    reports_state: bool = True
    # Its bodies contain what only a service sets, such as states and times.
    owns_rest: bool = True
    # What it does not list is not meant to exist on a target.
    stores_secrets: bool = True
    # Its bodies contain secrets, not only fingerprints of them.
    files_immutable: bool = True
    # The bytes under the id of a file never change.


_ASSISTANTS = Codec(
    decode=assistants.decode_assistants_object,
    adapt=adapt.adapt,
    create_request=assistants.encode_create,
    update_request=assistants.encode_update,
    updatable=assistants.UPDATABLE_FIELDS,
    why_not_replayed=family_message.why_item_not_replayed,
    text_message=text_messages.message_text,
)

_PROJECT = Codec(
    decode=foundry_read.decode_foundry_object,
    adapt=partial(
        adapt.adapt,
        rules=foundry_adapt.FOUNDRY_ADAPT_RULES,
        encoder=foundry_write.encode_foundry_create,
        body_forms=foundry.foundry_body_form,
    ),
    create_request=foundry_write.encode_foundry_create,
    update_request=foundry_write.encode_foundry_update,
    updatable=foundry_write.FOUNDRY_UPDATABLE_FIELDS,
    why_not_replayed=foundry_message.why_call_not_replayed,
    text_message=text_messages.item_text,
    omits_stamp_on_text=True,
    is_unproven=foundry_message.is_unproven,
    first_messages_key="items",
    assign_names=foundry_names.assign_agent_names,
)

_DIRECTORY = Codec(
    decode=config_decoding.decode_config_object,
    adapt=config_decoding.refuse_as_target,
    create_request=config_decoding.refuse_as_target,
    update_request=config_decoding.refuse_as_target,
    updatable={},
    why_not_replayed=config_decoding.refuse_as_target,
    ids_are_keys=True,
    reports_state=False,
    owns_rest=False,
    stores_secrets=False,
    files_immutable=False,
)

# Type of an estate -> the codec of its wire family; a config directory is only read.
CODECS: Mapping[str, Codec] = {
    "azure-openai": _ASSISTANTS,
    "openai": _ASSISTANTS,
    "foundry-classic": _ASSISTANTS,
    "foundry": _PROJECT,
    CONFIG: _DIRECTORY,
}

__all__ = ["CODECS", "Capabilities", "Codec", "DecodeContext", "Target", "TextMessage", "capabilities_for"]
