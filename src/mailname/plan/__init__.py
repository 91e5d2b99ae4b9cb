"""What the owner wants: the plan, its meaning, the zone it describes, and what to type at the registrar."""
