"""The texts of a config directory, and the bodies of a snapshot of type `config`. Pure: no disk.

The id of an object is its key in the directory: a name. References between objects are keys, too.
"""

# The type of an estate that was read from a config directory.
CONFIG_TYPE = "config"

# Files and folders of a config directory. The manifest lists the files that an export wrote.
ASSISTANTS_FOLDER, VECTOR_STORES_FOLDER, BYTES_FOLDER = "assistants", "vector-stores", "files"
FILES_YAML = "files.yaml"
VARIABLES_TOML, SCHEMA_FOLDER, MANIFEST_PATH = "variables.toml", "schema", "schema/exported.txt"
