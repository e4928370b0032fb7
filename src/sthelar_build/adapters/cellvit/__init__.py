"""CellViT: checkpoints of the published layout, the network, and its inference."""
