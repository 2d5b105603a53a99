"""Pure decisions: what an event says, what a state is, what follows; knows nothing of the world."""
