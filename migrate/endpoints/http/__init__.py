"""HTTP below every endpoint: client, transports, retries, errors, pagination, limits."""
