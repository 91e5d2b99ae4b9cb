"""The command line: one module per command; it prints, exits, and joins the parts."""
