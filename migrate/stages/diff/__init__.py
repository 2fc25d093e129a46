"""Compare two estates."""
