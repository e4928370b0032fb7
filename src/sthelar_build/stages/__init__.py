"""The stages, in pipeline order. Each is a module with ``run``: read, compute, write."""

STAGES: tuple[str, ...] = (
    "simulate",
    "preflight",
    "ingest",
    "count",
    "register",
    "annotate",
    "cluster",
    "refine",
    "tile",
    "rasterise",
    "gather",
    "segment",
    "assess",
    "assemble",
    "report",
    "collect",
    "export",
    "describe",
    "export_slides",
)
