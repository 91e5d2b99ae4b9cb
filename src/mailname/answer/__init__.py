"""Query and zone in, response out. Pure: no socket, no clock."""
