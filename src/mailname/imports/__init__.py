"""From what exists to plans: BIND's configuration, zones and lists of records read, and written as the plans that mean them."""
