"""One small object for each thing that an estate may hold: what codecs are shown with, field by field."""

from migrate.codecs.examples.configured import CONFIGURED
from migrate.codecs.examples.form import BARE, Example, around
from migrate.codecs.examples.spoken import ITEMS, MESSAGES, PARTS, THREADS
from migrate.codecs.examples.stored import STORED
from migrate.codecs.examples.tools import NEWER_TOOLS, OLDER_TOOLS

FIELDS = (*STORED, *CONFIGURED, *THREADS, *MESSAGES)
"""Fields of every kind that is moved, but for tools and the parts of messages."""

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
