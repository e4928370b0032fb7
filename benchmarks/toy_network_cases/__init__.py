"""How the shipped toy checkpoint is made and judged."""
