"""Service JSON to model objects and back: one codec for each family of services. Pure: no network, no disk.

Writing has two steps: `adapt` changes an object so that the target can store it and reports the losses;
`create_request` and `update_request` then build the request body without losing anything more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from migrate.codecs import adapt, assistants, text_messages
from migrate.codecs.adapt.context import Target
from migrate.codecs.adapt.message import why_item_not_replayed
from migrate.codecs.assistants import DecodeContext
from migrate.codecs.capabilities import Capabilities, capabilities_for
from migrate.codecs.config_directory import CONFIG_TYPE
from migrate.codecs.config_directory.parse import decode_config_object, refuse_as_target
from migrate.codecs.foundry import encode as foundry_encode
from migrate.codecs.foundry.adapt_agent import FOUNDRY_ADAPT_RULES
from migrate.codecs.foundry.adapt_message import is_unproven, why_call_not_replayed
from migrate.codecs.foundry.decode import decode_foundry_object
from migrate.codecs.foundry.valid_names import assign_agent_names
from migrate.codecs.text_messages import TextMessage
from migrate.codecs.write_forms.foundry import foundry_body_form
from migrate.model import JSON, Entity
from migrate.model.loss import Loss


@dataclass(frozen=True)
class Codec:
    """How the JSON of one family of services is read, and how objects are adapted to it and written.

    `update_request`: takes the adapted object, the names of the fields to change, and the object on the
    target.
    `updatable`: kind -> the fields that a service can change later.
    `why_not_replayed`: the reason why an item of a conversation is not replayed, or '' for a message.
    `first_messages_key`: key of the first messages in the request that creates a thread.
    `assign_names`: where names are addresses, takes rows of (source id, name) and the names in use, and
    returns source id -> name.
    """

    decode: Callable[[str, Mapping[str, JSON], str, DecodeContext | None], list[Entity]]
    adapt: Callable[[Entity, Target], tuple[Entity, list[Loss]]]
    create_request: Callable[[Entity], dict[str, JSON]]
    update_request: Callable[[Entity, frozenset[str], Entity | None], dict[str, JSON]]
    updatable: Mapping[str, tuple[str, ...]]
    why_not_replayed: Callable[[Entity, Target], str]
    # A message that contains only text, read without decoding; None where it contains more.
    text_message: Callable[[Mapping[str, JSON]], TextMessage | None] = lambda body: None
    # Whether such a message is written without the stamp of this program.
    omits_stamp_on_text: bool = False
    # Kinds of objects that a message can refer to.
    message_references: frozenset[str] = frozenset({"file"})
    # Whether an adapted message has a form that no recording shows accepted or refused.
    is_unproven: Callable[[Entity], bool] = lambda entity: False
    first_messages_key: str = "messages"
    assign_names: Callable[[Iterable[tuple[str, str]], Collection[str]], dict[str, str]] | None = None
    # The next fields describe an estate of this type. The defaults are those of a service; a config directory
    # differs in all of them. Users chose its ids: an equal id on another side is the same object, and an
    # id in a text is only text.
    ids_are_keys: bool = False
    # Its bodies contain what only a service sets, such as states and times.
    reports_state: bool = True
    # Whether it contains every object that should exist: one that it lacks should not exist on a target
    # either. A config directory describes only some objects.
    lists_everything: bool = True
    # Its bodies contain secrets, not only fingerprints of them.
    stores_secrets: bool = True
    # The bytes under the id of a file never change.
    files_immutable: bool = True


_ASSISTANTS = Codec(
    decode=assistants.decode_assistants_object,
    adapt=adapt.adapt,
    create_request=assistants.encode_create,
    update_request=assistants.encode_update,
    updatable=assistants.UPDATABLE_FIELDS,
    why_not_replayed=why_item_not_replayed,
    text_message=text_messages.message_text,
)

_FOUNDRY = Codec(
    decode=decode_foundry_object,
    adapt=partial(
        adapt.adapt,
        rules=FOUNDRY_ADAPT_RULES,
        encoder=foundry_encode.encode_foundry_create,
        body_forms=foundry_body_form,
    ),
    create_request=foundry_encode.encode_foundry_create,
    update_request=foundry_encode.encode_foundry_update,
    updatable=foundry_encode.FOUNDRY_UPDATABLE_FIELDS,
    why_not_replayed=why_call_not_replayed,
    text_message=text_messages.item_text,
    omits_stamp_on_text=True,
    message_references=frozenset({"file", "vector_store"}),
    is_unproven=is_unproven,
    first_messages_key="items",
    assign_names=assign_agent_names,
)

_CONFIG_DIRECTORY = Codec(
    decode=decode_config_object,
    adapt=refuse_as_target,
    create_request=refuse_as_target,
    update_request=refuse_as_target,
    updatable={},
    why_not_replayed=refuse_as_target,
    ids_are_keys=True,
    reports_state=False,
    lists_everything=False,
    stores_secrets=False,
    files_immutable=False,
)

# Type of an estate -> its codec. A config directory is only read.
CODECS: Mapping[str, Codec] = {
    "azure-openai": _ASSISTANTS,
    "openai": _ASSISTANTS,
    "foundry-classic": _ASSISTANTS,
    "foundry": _FOUNDRY,
    CONFIG_TYPE: _CONFIG_DIRECTORY,
}

__all__ = ["CODECS", "Capabilities", "Codec", "DecodeContext", "Target", "TextMessage", "capabilities_for"]
