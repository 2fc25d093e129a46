"""Bounded threads, and what keeps a process with many of them small."""
