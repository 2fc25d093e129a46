"""Two estates in, what differs between them out."""
