"""Faults from a file: the service misbehaves as its rows say, in the same way every time."""
