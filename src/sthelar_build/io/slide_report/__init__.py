"""What the report of a slide shows, one module per part of it."""
