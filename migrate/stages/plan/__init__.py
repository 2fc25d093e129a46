"""A source and a target in, a plan out: every action and every loss, nothing written."""
