"""A plan in, a changed target out, journalled, and the way back."""
