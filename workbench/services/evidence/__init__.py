"""Sealed packs: what they tell, to whom, and how they are checked."""
