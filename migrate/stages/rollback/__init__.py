"""Roll back an applied plan."""
