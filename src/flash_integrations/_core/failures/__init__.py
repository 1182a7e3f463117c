"""What a refusal says, and the error it becomes."""
