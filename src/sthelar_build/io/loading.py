"""How each format is loaded, as code to copy."""

from __future__ import annotations


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
    }
