"""Bundles to count in, and the public packages that count in them."""
