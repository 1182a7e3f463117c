"""What an answer is, and how it is put together from its pieces."""
