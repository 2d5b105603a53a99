"""Federated learning: who trains, what may leave a node, how updates become a model, what it costs."""
