"""The notebooks run from the first cell to the last, draw what they promise, and are kept small."""

import importlib
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from data.samples.shipped import path_of
from gis.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = {"county_town": ("town", 3), "helsinki": ("helsinki", 3)}


def outputs(notebook, kind):
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if kind in output.get("data", {})
    ]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_and_draws(name):
    sample, pictures = NOTEBOOKS[name]
    try:
        path_of(sample)
    except SetupError as error:
        pytest.skip(f"the sample is not installed: {error.code}")
    notebook = nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4)
    # the first on a machine lists its fonts, and says so on the error stream where that takes long
    importlib.import_module("matplotlib.font_manager")
    # sockets with names, short enough for the kernel: the ports that would be chosen may be gone by the time of use
    with tempfile.TemporaryDirectory() as folder:
        kernel = {"transport": "ipc", "ip": f"{folder}/k", "connection_file": f"{folder}/k.json"}
        client = NotebookClient(
            notebook, timeout=1500, startup_timeout=300, resources={"metadata": {"path": str(ROOT)}},
            config=Config({"KernelManager": kernel}),
        )  # fmt: skip
        client.execute()
    assert len(outputs(notebook, "image/png")) >= pictures
    page = outputs(notebook, "text/html")[-1]
    assert "Leaflet" in page
    assert "cdn" not in page.lower()
    errors = [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type in ("error", "stderr")]
    assert not errors


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_small_and_shows_its_pictures(name):
    file = ROOT / f"notebooks/{name}.ipynb"
    assert file.stat().st_size < 1_000_000
    notebook = nbformat.read(file, as_version=4)
    assert len(outputs(notebook, "image/png")) >= NOTEBOOKS[name][1]
    text = file.read_text(encoding="utf-8")
    assert "/work/" not in text
    assert "/home/" not in text
