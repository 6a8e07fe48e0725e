"""How good scores and rings are (domain.md §5): pure measures, and one page that prints them."""
