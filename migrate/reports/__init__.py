"""Render results as text and JSON documents. Pure: nothing here reads or writes anything."""
