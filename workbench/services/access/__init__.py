"""Who comes in, what he may see in the clear, and what stands on record of it."""
