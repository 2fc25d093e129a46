"""Schemas of the request bodies that the emulated services accept."""
