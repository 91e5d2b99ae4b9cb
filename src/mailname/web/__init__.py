"""The dashboard. Nothing here yet."""
