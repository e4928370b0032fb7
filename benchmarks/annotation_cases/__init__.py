"""Slides whose cell types are known, made as tables for the benchmark of annotation."""
