"""The mail identity of a domain, as records and as rules. So far: MX."""
