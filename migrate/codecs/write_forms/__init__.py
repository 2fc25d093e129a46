"""Declared forms of request bodies: each yields the places where a value does not fit a service."""
