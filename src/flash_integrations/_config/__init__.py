"""The user's settings: provider, URL, key; and what of them is secret."""
