"""Faults: the emulator disturbs requests as the rows of a file say, in the same way every time."""
