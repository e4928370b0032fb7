"""Pure numerics: arrays, geometries and tables in and out. No path, no logger, no settings."""
