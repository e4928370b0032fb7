import geopandas
import numpy as np
import pandas as pd

from sthelar_build.core.simulation.slide import SimulatedSlide


def test_the_shape_is_that_of_dapi():
    empty = pd.DataFrame()
    images = {"DAPI": np.zeros((3, 5), dtype=np.uint16)}
    located = geopandas.GeoDataFrame(geometry=[])
    slide = SimulatedSlide(empty, located, located, empty, images)
    assert slide.shape_px == (3, 5)
