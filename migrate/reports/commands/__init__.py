"""One module per command: its result as a report and as a JSON document."""
