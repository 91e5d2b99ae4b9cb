"""Looks at domains again and again, keeps what was found, and says a word when something changes."""
