"""What reading a damaged HDF5 file raises."""

from __future__ import annotations

UNREADABLE = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError)
"""From h5py: a file that is none or cut short, a name that is not there or of another kind, metadata that make no sense."""
