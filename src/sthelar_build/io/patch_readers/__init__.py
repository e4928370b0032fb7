"""Patches out of the formats that networks are trained from, one at a time, the same from each."""
