"""For what looks at raw files: the five cells as a bundle, with an H&E, an alignment and an atlas beside it."""

import anndata
import numpy as np
import pandas as pd

from slides.five_cells import SHAPE_PX, copy_of_bundle
from sthelar_build.io.ome_tiff import write_ome_tiff

HE_UM_PER_PX = 0.425
GENES = {"EPCAM": "ENSG00000119888", "CD3E": "ENSG00000198851", "ACTB": "ENSG00000075624"}
HEADER = "slide\tpatient\ttissue\tcondition\txenium\the\talignment\treference\tpredictions\n"
ATLASES = "reference\tpath\tlabel_key\tlayer\tlabel_map\n"


def write_raw_slide(folder):
    """Write ``outs``, ``he_image.ome.tif``, ``matrix.csv`` and ``reference.h5ad``."""
    copy_of_bundle(folder / "outs", "3.0.0")
    write_he(folder / "he_image.ome.tif")
    (folder / "matrix.csv").write_text("2,0,0\n0,2,0\n0,0,1\n")
    write_atlas(folder / "reference.h5ad")


def write_he(path):
    image = np.full((SHAPE_PX[0] // 2, SHAPE_PX[1] // 2, 3), 200, dtype=np.uint8)
    write_ome_tiff(path, image, HE_UM_PER_PX, channel_names=["RGB"], compression="jpeg", tile_px=64)


def write_atlas(path, genes=GENES):
    counts = np.random.default_rng(0).poisson(3.0, (6, len(genes))).astype(np.float32)
    obs = pd.DataFrame({"cell_type": ["B cell", "T cell"] * 3}, index=[f"c{i}" for i in range(6)])
    var = pd.DataFrame({"gene_id": list(genes.values())}, index=list(genes))
    anndata.AnnData(counts, obs=obs, var=var).write_h5ad(path)


def write_sheets(folder, rows=""):
    """Write ``config/``: no simulated slide, one atlas, and the rows."""
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/config.yaml").write_text("formats: [pannuke]\n")
    (folder / "config/slides.tsv").write_text(HEADER + rows)
    (folder / "config/references.tsv").write_text(
        f"{ATLASES}atlas\treference.h5ad\tcell_type\t\t\n"
    )


ROW = "own\tp1\tBreast\tcancer\touts\the_image.ome.tif\tmatrix.csv\tatlas\t\n"
"""The slide of ``write_raw_slide``, seen from its folder."""
