"""The check-ups of ``doctor``: each yields lines that say what was found; none writes anything."""
