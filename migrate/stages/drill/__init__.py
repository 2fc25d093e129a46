"""A recovery drill: restore an archive into an empty place, compare, and remove everything again."""
