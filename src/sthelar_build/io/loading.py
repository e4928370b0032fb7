"""How each format is loaded, as code to copy."""

from __future__ import annotations

from collections.abc import Collection

_FOR_TORCH = ("cellvit", "pannuke", "huggingface")


def torch_example(formats: Collection[str]) -> str | None:
    """Return code that feeds a network, for the folder in which the formats lie; None where none of them can be fed."""
    if not set(_FOR_TORCH) & set(formats):
        return None
    return """from sthelar_build.torch_dataset import PatchDataset
from torch.utils.data import DataLoader
train = PatchDataset(".", split="train", as_float=True)   # or valid, test; slides=["..."] takes some slides
for batch in DataLoader(train, batch_size=4, shuffle=True):
    image, types = batch["image"], batch["type_map"]   # (4, 3, h, w), (4, h, w); also instance_map, cell_counts, slide, ...
    break"""


def slide_examples(slide: str) -> dict[str, str]:
    """Return code by format of whole slides, for the folder of a scale; ``slide`` is the name of any slide."""
    folder = "../whole_slides"
    return {
        "qupath": f"""import geopandas
nuclei = geopandas.read_file("{folder}/qupath/{slide}.geojson")   # px of the H&E; in QuPath: drag it onto the image""",
        "explorer": f"""import pandas as pd
groups = pd.read_csv("{folder}/explorer/{slide}_final_label.csv")   # in Xenium Explorer: Cell groups, Add""",
        "hest": f"""import anndata
spots = anndata.read_h5ad("{folder}/hest/st/{slide}.h5ad")   # with hest: iter_hest("{folder}/hest")""",
        "stimage": f"""import pandas as pd
places = pd.read_csv("{folder}/stimage/Xenium/coord/{slide}_coord.csv", index_col=0)
counts = pd.read_csv("{folder}/stimage/Xenium/gene_exp/{slide}_count.csv", index_col=0)""",
        "spatialdata": f"""import spatialdata
sdata = spatialdata.read_zarr("../../{slide}/sdata_{slide}.zarr")
sdata["table_cells"].obs["final_label"].value_counts()""",
    }


def loading_examples(slide: str, side_px: int) -> dict[str, str]:
    """Return code by format, for the folder in which the formats lie; ``slide`` is the name of any slide."""
    return {
        "huggingface": f"""from datasets import load_dataset
shards = {{s: f"huggingface/data/{{s}}-*.parquet" for s in ("train", "valid", "test")}}
row = load_dataset("parquet", data_files=shards)["train"][0]
image, instances, types = row["image"], row["instance_map"], row["type_map"]   # {side_px} x {side_px}""",
        "pannuke": f"""import numpy as np
with np.load("pannuke/{slide}.npz") as arrays:
    images, masks, tissues = arrays["images"], arrays["masks"], arrays["types"]   # the last mask channel is background""",
        "cellvit": """import io, zipfile, numpy as np, scipy.sparse as sp
labels = zipfile.ZipFile("cellvit/labels.zip")   # beside images.zip, cell_count_{train,valid,test}.csv, dataset_config.yaml
label = np.load(io.BytesIO(labels.read(labels.namelist()[0])))
types = sp.csr_matrix(tuple(label[f"type_map_{p}"] for p in ("data", "indices", "indptr")), label["type_map_shape"])""",
        "cellvit_plus": """from pathlib import Path
import numpy as np
path = next(Path("cellvit_plus/train/labels").glob("*.npy"))   # its image: train/images/{path.stem}.png
label = np.load(path, allow_pickle=True).item()
instances, types = label["inst_map"], label["type_map"]""",
        "sthelar": f"""import numpy as np, scipy.sparse
n = len(np.load("sthelar/patch_ids_{slide}.npy"))
masks = scipy.sparse.load_npz("sthelar/masks_{slide}.npz").toarray().reshape(n, {side_px}, {side_px}, -1)   # last channel: class""",
        "tables": """import pandas as pd
splits = pd.read_parquet("splits.parquet")
metrics, counts, tissues = (pd.read_csv(f"{name}.csv") for name in ("patch_metrics", "cell_count", "types"))""",
    }
