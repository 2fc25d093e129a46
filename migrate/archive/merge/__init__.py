"""Merge several archives into one; join the shards of one snapshot."""
