"""The old API over an archive: the paths of Azure OpenAI, OpenAI and Foundry projects, for reading."""

from migrate.serve.api.application import API_PREFIXES, api_error, api_routes

__all__ = ["API_PREFIXES", "api_error", "api_routes"]
