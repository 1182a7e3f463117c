"""``/v1/responses``: a second way to the same deltas and completions."""
