"""A simulated slide: tissue, expression, and what the instruments would see of them."""
