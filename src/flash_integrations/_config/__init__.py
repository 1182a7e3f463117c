"""What the user says: which gateway, which key, and what stays hidden."""
