"""The machines: what a host tells of itself, what is wanted of it, and how it gets there."""
