"""The mail identity of a domain, as records and as rules. MX, and the TXT records that say how mail is to be judged."""
