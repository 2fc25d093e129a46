"""Build the full-text index of an archive, and keep it up to date."""
