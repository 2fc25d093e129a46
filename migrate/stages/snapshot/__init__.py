"""A live estate in, a snapshot of it out."""
