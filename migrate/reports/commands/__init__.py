"""One report per command: results in, a report and a JSON document out."""
