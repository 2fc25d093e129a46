"""Results in, text and JSON documents out. Pure: nothing here reads or writes anything."""
