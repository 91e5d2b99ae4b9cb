"""Facts about a host that a name server needs to know."""
