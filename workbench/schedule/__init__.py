"""What runs by the clock: days, weeks and months as slots, each done once."""
