"""Tables of points: the model, and the two ways to learn it."""
