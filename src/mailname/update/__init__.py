"""Dynamic update: who may change which names of a zone, and what an update does to it (RFC 2136). No I/O."""
