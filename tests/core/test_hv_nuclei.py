"""From network maps to nuclei: equal to the oracle, and right on nuclei that were drawn."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sthelar_build.core.hv_nuclei import hv_instances, hv_nuclei
from sthelar_build.core.instance_entries import contours


@pytest.fixture(scope="module")
def oracle(shared_data):
    with np.load(shared_data / "cellvit" / "postproc_cases.npz") as cases:
        return {name: cases[name] for name in cases.files}


def cases_of(oracle):
    return list(zip(oracle["binary"], oracle["hv"].astype(np.float32), oracle["type"], strict=True))


@pytest.mark.parametrize("magnification", [40, 20])
def test_every_case_of_the_oracle_is_identical(oracle, magnification):
    infos = json.loads(str(oracle[f"info{magnification}"]))
    for case, instances, info in zip(
        cases_of(oracle), oracle[f"inst{magnification}"], infos, strict=True
    ):
        found = hv_nuclei(*case, magnification)
        np.testing.assert_array_equal(found.instances, instances)
        assert as_dictionary(found) == {
            int(number): {**one, "contour": one.get("contour")} for number, one in info.items()
        }


def as_dictionary(found):
    outlines = contours(found.instances, found.ids)
    columns = (*found[1:], outlines)
    return {
        int(number): {
            "bbox": box.reshape(2, 2).tolist(),
            "centroid": centroid.tolist(),
            "n_contour": len(outline),
            "contour": outline.tolist(),
            "type": kind,
            "type_prob": probability,
        }
        for number, box, centroid, kind, probability, outline in zip(*columns, strict=True)
    }


def drawn(*discs, shape=(64, 80)):
    """Binary and HV maps of discs (row, column, radius), as a perfect network would give them."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    nearest = np.full(shape, np.inf)
    nucleus, hv = np.zeros(shape, np.uint8), np.zeros((2, *shape), np.float32)
    for row, column, radius in discs:
        distance = np.hypot(rows - row, columns - column) / radius
        inside = (distance < 1) & (distance < nearest)
        nearest = np.minimum(nearest, distance)
        nucleus[inside] = 1
        hv[0, inside] = ((columns - column) / radius)[inside]
        hv[1, inside] = ((rows - row) / radius)[inside]
    return nucleus, hv


TOUCHING = ((30, 25, 12), (30, 47, 12))


@pytest.mark.parametrize("magnification", [40, 20])
def test_two_nuclei_that_touch_are_told_apart(magnification):
    nucleus, hv = drawn(*TOUCHING)
    types = np.where(np.arange(80) < 36, 2, 4) * nucleus
    found = hv_nuclei(nucleus, hv, types, magnification)
    assert found.ids.tolist() == [1, 2]
    np.testing.assert_allclose(found.centroid_px, [[25, 30], [47, 30]], atol=1)
    assert found.type_index.tolist() == [2, 4]
    assert (found.type_prob > 0.95).all()
    np.testing.assert_array_equal(found.instances > 0, nucleus > 0)


def test_without_distances_there_are_no_markers_and_no_nuclei():
    nucleus, hv = drawn(*TOUCHING)
    assert not hv_instances(nucleus, hv * 0, 40).any()


def test_blobs_below_ten_pixels_are_dropped():
    nucleus, hv = drawn((30, 25, 12))
    nucleus[:3, 70:73] = 1
    found = hv_instances(nucleus, hv, 40)
    assert not found[:3, 70:73].any()
    assert found[30, 25] == 1


@pytest.mark.parametrize("shape", [(256, 256), (1, 1), (7, 300), (0, 0)])
def test_a_patch_without_nuclei_is_empty_whatever_its_size(shape):
    found = hv_nuclei(
        np.zeros(shape, np.uint8), np.zeros((2, *shape), np.float32), np.zeros(shape, np.uint8), 40
    )
    assert found.instances.shape == shape
    assert found.instances.dtype == np.int32
    assert not found.instances.any()
    assert [len(part) for part in found[1:]] == [0] * 5


def test_a_marker_whose_holes_are_filled_takes_what_lies_in_them():
    # A ring with a line in its middle, and a slope without any edge: one marker covers all.
    rows, columns = np.mgrid[:80, :80]
    distance = np.hypot(rows - 40, columns - 40)
    nucleus = ((distance > 15) & (distance < 20)).astype(np.uint8)
    nucleus[40, 34:46] = 1
    hv = np.stack([columns, rows]).astype(np.float32)
    found = hv_nuclei(nucleus, hv, nucleus, 40)
    np.testing.assert_array_equal(found.instances, nucleus)
    # The first contour is the line inside, or not: the entry follows it.
    first = contours(found.instances, np.array([1]))[0]
    assert len(found.ids) == (len(first) >= 3)


def test_other_magnifications_are_refused():
    nucleus, hv = drawn((30, 25, 12))
    with pytest.raises(ValueError, match=r"a magnification of \[40, 20\], got 10"):
        hv_nuclei(nucleus, hv, nucleus, 10)


def test_maps_of_different_shapes_are_refused():
    nucleus, hv = drawn((30, 25, 12))
    with pytest.raises(ValueError, match="one shape"):
        hv_nuclei(nucleus[1:], hv, nucleus[1:], 40)


def test_distances_of_half_precision_are_taken_as_they_are():
    nucleus, hv = drawn(*TOUCHING)
    half = hv.astype(np.float16)
    expected = hv_instances(nucleus, half.astype(np.float32), 40)
    np.testing.assert_array_equal(hv_instances(nucleus, half, 40), expected)


def test_the_maps_given_are_left_as_they_are():
    nucleus, hv = drawn(*TOUCHING)
    before = nucleus.copy(), hv.copy()
    hv_nuclei(nucleus, hv, nucleus, 40)
    np.testing.assert_array_equal(nucleus, before[0])
    np.testing.assert_array_equal(hv, before[1])


def test_threads_find_what_one_thread_finds():
    cases = [drawn((30, 20 + k, 11), (31, 40 + k, 11)) for k in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda case: hv_instances(*case, 40), cases))
    for case, found in zip(cases, together, strict=True):
        np.testing.assert_array_equal(found, hv_instances(*case, 40))
