"""Export an estate's configuration as files."""
