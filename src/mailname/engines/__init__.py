"""Name server programs behind one narrow interface."""
