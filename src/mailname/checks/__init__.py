"""Observe the world, judge it, explain it: facts, findings, one cause."""
