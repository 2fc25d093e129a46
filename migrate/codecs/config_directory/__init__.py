"""A config directory's texts <-> the bodies of a snapshot of type `config`. Pure: no disk.

An object's id is its key there: a name. References between objects are by key.
"""

TYPE = "config"
"""The type of estate that a config directory is read as."""

ASSISTANTS, STORES, FILES, BYTES = "assistants", "vector-stores", "files.yaml", "files"
VARIABLES, SCHEMAS, MANIFEST = "variables.toml", "schema", "schema/exported.txt"
"""What lies in a config directory. The manifest names the files that an export wrote."""
