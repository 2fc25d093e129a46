"""Let sqlite-utils and Datasette read the compressed bodies of an archive."""
