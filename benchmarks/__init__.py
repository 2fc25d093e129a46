"""Measure the program, compared with its transport alone (the floor) and with the way other tools work."""
