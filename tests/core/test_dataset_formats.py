"""Exports are summed up: what they weigh, what they kept, and why not the rest."""

from sthelar_build.core.dataset_formats import format_facts, selection_facts, whole_slide_facts


def manifest(name, kept, **left_out):
    total = kept + sum(left_out.values())
    return {
        "format": name,
        "n_patches": 2 * kept,
        "n_patches_total": 2 * total,
        "slides": {slide: {"patches": {"kept": kept, **left_out}} for slide in ("b", "a")},
        "files": {"x.npz": {"bytes": 10}, "y.csv": {"bytes": 5}},
    }


def test_sizes_and_reasons_are_summed_over_files_and_slides():
    one, two = format_facts([manifest("pannuke", 3, jaccard=1, outside=2), manifest("cellvit", 6)])
    assert (one["name"], two["name"]) == ("cellvit", "pannuke")
    assert (two["n_files"], two["bytes"]) == (2, 15)
    assert two["left_out"] == {"jaccard": 2, "outside": 4}
    assert (two["n_patches"], two["n_patches_total"]) == (6, 12)


def test_formats_that_kept_the_same_patches_are_told_together():
    same = [manifest(name, 3, jaccard=1) for name in ("sthelar", "cellvit")]
    one, two = selection_facts([*same, manifest("pannuke", 4)])
    assert one["formats"] == ["cellvit", "sthelar"]
    assert one["slides"][0] == {"name": "a", "kept": 3, "total": 4, "left_out": {"jaccard": 1}}
    assert two["formats"] == ["pannuke"]
    assert selection_facts([]) == format_facts([]) == []


def test_whole_slides_are_counted_with_those_that_were_stopped_apart():
    record = {
        "format": "hest",
        "slides": {"a": {"kept": True}, "b": {"kept": False}},
        "files": {"x": {"bytes": 10}, "y": {"bytes": 5}},
    }
    (one,) = whole_slide_facts([record])
    assert (one["name"], one["n_slides"], one["n_slides_total"]) == ("hest", 1, 2)
    assert (one["n_files"], one["bytes"]) == (2, 15)
    assert "spots" in one["purpose"]
