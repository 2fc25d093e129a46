"""Snapshots inside an archive: written page by page, read back, compared over time."""
