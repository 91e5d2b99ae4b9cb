"""DNSSEC: what a signed zone needs at its parent. Signing itself is not implemented."""
