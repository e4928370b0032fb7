import numpy as np
import pyarrow as pa
from shapely import box

from sthelar_build.core.reassignment import Reassignment
from sthelar_build.schema.tables import TRANSCRIPTS, mismatch


def array(*shapes):
    return np.array(shapes, dtype=object)


def batch(points, cell_id=None, nuclear=False):
    n = len(points)
    x, y = np.array(points, dtype=np.float32).T
    columns = {
        "transcript_id": np.arange(n, dtype=np.uint64),
        "cell_id": [cell_id] * n,
        "overlaps_nucleus": [nuclear] * n,
        "feature_name": ["EPCAM"] * n,
        "category": ["gene"] * n,
        "x_um": x,
        "y_um": y,
        "z_um": x,
        "qv": x,
    }
    arrays = {name: pa.array(columns[name], TRANSCRIPTS.field(name).type) for name in columns}
    return pa.table(arrays, schema=TRANSCRIPTS)


CELLS = array(box(0, 0, 10, 10), box(10, 0, 30, 10))
NUCLEI = array(box(2, 2, 6, 6), box(8, 2, 14, 6))


def test_a_transcript_goes_to_the_nucleus_then_to_the_cell_that_holds_it():
    assign = Reassignment(np.array(["a-1", "b-1"]), NUCLEI, CELLS)
    found = assign(batch([(3, 3), (1, 1), (9, 3), (20, 8), (40, 1)], cell_id="old-1", nuclear=True))
    # The third lies in the outline of a, but in the nucleus of b.
    assert found["cell_id"].to_pylist() == ["a-1", "a-1", "b-1", "b-1", None]
    assert found["overlaps_nucleus"].to_pylist() == [True, False, True, False, False]
    assert (assign.n_in_cells, assign.n_in_nuclei, assign.n_moved) == (4, 2, 3)


def test_all_else_stays_and_the_table_fits_the_schema():
    before = batch([(3, 3), (40, 1)])
    found = Reassignment(np.array(["a-1", "b-1"]), NUCLEI, CELLS)(before)
    assert mismatch(found.schema, TRANSCRIPTS) is None
    kept = [name for name in TRANSCRIPTS.names if name not in ("cell_id", "overlaps_nucleus")]
    assert found.select(kept).equals(before.select(kept))


def test_a_border_between_cells_belongs_to_the_smaller():
    assign = Reassignment(np.array(["a-1", "b-1"]), NUCLEI, CELLS)
    assert assign(batch([(10, 9)]))["cell_id"].to_pylist() == ["a-1"]


def test_an_empty_batch_stays_empty():
    assert len(Reassignment(np.array(["a-1", "b-1"]), NUCLEI, CELLS)(batch(np.empty((0, 2))))) == 0
