"""Take an applied plan back."""
