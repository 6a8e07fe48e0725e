"""What people decide, and the rings found anew around it."""
