"""Make a plan from a source and a target: every action and every loss. Nothing is written."""
