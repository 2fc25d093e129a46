"""Keep, compare and move the assistants you built: an estate in, an archive, a plan and proof out."""

__version__ = "0.1.0"
