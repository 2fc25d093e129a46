"""Questions about a snapshot in, answers out: what people look for in an archive."""
