"""Anything by what people know of it, and one thing of the graph in full."""
