"""Pictures for people: registration and annotation."""
