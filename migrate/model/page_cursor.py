"""What the cursor of a page may say besides the id of a row."""

# Nothing can be continued behind this page: it came out of a listing that was turned round.
RESTART_FROM_FIRST_PAGE = "read it again from the start"
