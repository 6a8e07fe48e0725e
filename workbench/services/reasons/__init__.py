"""Why, why not, what it rests on, and what was like it."""
