"""Writing a simulated Xenium bundle, in the layout of any version."""
