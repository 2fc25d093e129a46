"""One small object for each field, tool and part: the support matrix runs the codecs on them."""

from tools.docs.examples.assistants import CONFIGURED
from tools.docs.examples.example import BARE, Example, around
from tools.docs.examples.files import STORED
from tools.docs.examples.messages import ITEMS, MESSAGES, PARTS, THREADS
from tools.docs.examples.tools import NEWER_TOOLS, OLDER_TOOLS

# Fields of every kind that is moved, except tools and the parts of messages.
FIELDS = (*STORED, *CONFIGURED, *THREADS, *MESSAGES)

EXAMPLES = (*FIELDS, *OLDER_TOOLS, *NEWER_TOOLS, *PARTS, *ITEMS)

__all__ = [
    "BARE",
    "EXAMPLES",
    "FIELDS",
    "ITEMS",
    "NEWER_TOOLS",
    "OLDER_TOOLS",
    "PARTS",
    "Example",
    "around",
]
