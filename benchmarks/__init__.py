"""Measures the program against the floor of its own transport and against the way other tools work."""
