"""Records that stages return and reports render, by command."""
