"""How a network of the CellViT family learns from a dataset in the format ``cellvit``."""
