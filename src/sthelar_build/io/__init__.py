"""Everything that touches a disk. Formats live here, decisions do not."""
