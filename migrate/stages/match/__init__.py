"""Match the objects of two estates: by journal, stamp, id, and content."""
