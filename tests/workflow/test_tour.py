"""The notebook runs on what the toy run has made, and travels without outputs."""

import json
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tour.ipynb"


def code_cells():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_the_notebook_has_no_outputs():
    assert len(code_cells()) > 8
    assert all(cell["outputs"] == [] for cell in code_cells())
    assert all(cell["execution_count"] is None for cell in code_cells())


def test_every_cell_of_the_notebook_runs(built, monkeypatch):
    pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel, which runs notebooks, is not installed")
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(built.folder / "src")]))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(built.folder)}}
    NotebookClient(notebook, timeout=300, resources=where).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [one for one in shown if "image/png" in one.get("data", {})]
    assert len(pictures) >= 6
