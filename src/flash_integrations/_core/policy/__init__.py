"""On what conditions a call is made: limits, time, retries, and what was learned."""
