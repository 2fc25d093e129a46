"""The wire of a Foundry project's new generation: agents, conversations and their items."""
