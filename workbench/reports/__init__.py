"""Reports by day, week and month: what stood at the end of a slot, as files that can be sent on."""
