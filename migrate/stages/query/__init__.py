"""Read an archive: search, history, conversations, references, cleanup."""
