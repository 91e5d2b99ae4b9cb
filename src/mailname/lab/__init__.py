"""The private Internet on this machine, and its faults."""
