"""Packs: compressed arrays of object bodies, written and read back."""
