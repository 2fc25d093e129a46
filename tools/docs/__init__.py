"""Write docs/cli.md and docs/support-matrix.md from the program."""
