"""One module per dataset format."""
