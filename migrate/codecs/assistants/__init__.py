"""The JSON of the Assistants API: decoded to the model, encoded from it."""
