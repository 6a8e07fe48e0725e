"""The work: the queue, what people do with a case, its file, and its end."""
