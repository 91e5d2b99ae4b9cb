"""The mail identity as records and as rules."""
