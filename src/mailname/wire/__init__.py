"""What crosses the network: messages, EDNS, TSIG (thin, over dnspython)."""
