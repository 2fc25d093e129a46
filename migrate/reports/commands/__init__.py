"""Results of the commands as reports, text and JSON documents; one file per family of commands."""
