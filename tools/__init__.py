"""Scripts beside the program: they write documents from it."""
