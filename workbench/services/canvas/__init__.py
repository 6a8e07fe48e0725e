"""The graph as an investigator reads it: open, expand, find ways, save, take away."""
