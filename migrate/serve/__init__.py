"""Pages in a browser and the old API over an archive, read-only."""
