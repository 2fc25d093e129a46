"""A config directory's texts <-> the bodies of a snapshot of type `config`. Pure: no disk.

An object's id is its key there: a name. References between objects are by key.
"""

# The type of estate that a config directory is read as.
CONFIG_TYPE = "config"

ASSISTANTS_FOLDER, VECTOR_STORES_FOLDER, FILES_YAML, BYTES_FOLDER = (
    "assistants",
    "vector-stores",
    "files.yaml",
    "files",
)
# What lies in a config directory. The manifest names the files that an export wrote.
VARIABLES_TOML, SCHEMA_FOLDER, MANIFEST_PATH = "variables.toml", "schema", "schema/exported.txt"
