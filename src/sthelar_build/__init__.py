"""From raw Xenium bundles and their H&E slides to training datasets for cell-type models."""
