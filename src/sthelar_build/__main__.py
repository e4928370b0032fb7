"""``python -m sthelar_build``."""

from sthelar_build.cli import main

main()
