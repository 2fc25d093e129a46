"""What the cursor of a page may say besides the id of a row."""

FROM_THE_START = "read it again from the start"
"""Nothing can be continued behind this page: it came out of a listing that was turned round."""
