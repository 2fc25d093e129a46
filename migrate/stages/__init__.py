"""What the commands do, one folder per command. No network and no SQL of their own."""
