"""Take a snapshot of a live estate."""
