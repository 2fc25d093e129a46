"""Apply a plan to a target, with a journal that allows a rollback."""
