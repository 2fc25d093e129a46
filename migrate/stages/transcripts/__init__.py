"""Write the conversations of an archive as files that can be handed over."""
