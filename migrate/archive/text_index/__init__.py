"""The full-text index inside an archive: optional tables, all of them or none."""
