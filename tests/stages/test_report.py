import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slides import three_cells
from slides.reports import make_report
from slides.viewers import make_viewer
from sthelar_build.errors import InputError
from sthelar_build.io.provenance import provenance
from sthelar_build.io.tables import write_table
from sthelar_build.io.transform import read_transform, write_transform
from sthelar_build.schema.tables import DISPLACEMENT


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    built = three_cells.build(folder)
    return built | make_viewer(built, folder)


@pytest.fixture(scope="module")
def page(files, tmp_path_factory):
    return make_report(files, tmp_path_factory.mktemp("page") / "report.html")


def _text(page):
    """Return what a reader sees, in one line."""
    return re.sub(r"(<[^>]+>|\s)+", " ", page.replace("<wbr>", ""))


class _Outline(HTMLParser):
    """Collects headings, references and images, and checks that what opens is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.references, self.alts, self.captions = [], [], [], [], 0

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.references += [found[name] for name in ("src", "href", "data") if name in found]
        if tag == "img":
            self.alts.append(found["alt"])
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(tag)
        self.captions += tag == "caption"
        if tag not in ("meta", "img", "input", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def outline(page):
    parser = _Outline()
    parser.feed(page)
    return parser


def test_the_page_is_whole_and_asks_for_nothing_outside_it(page, outline):
    assert outline.open == []
    assert all(r.startswith(("data:image/", "#")) for r in outline.references)
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page


def test_every_picture_has_a_text_and_every_table_a_caption(page, outline):
    assert len(outline.alts) >= 3
    assert all(outline.alts)
    assert outline.captions == page.count("<table")
    assert outline.headings[0] == "h1"


def test_a_second_opinion_is_shown_class_by_class(page):
    text = _text(page)
    assert "A second opinion" in text
    assert "T_NK 1 200 75.0 % B_Plasma 20.0 %" in text


def test_it_answers_the_four_questions(page):
    text = _text(page)
    assert (
        "is it aligned? Warning 0.41 µm median error, 1.90 µm at the 95th percentile; few tiles"
        in text
    )
    assert "are the labels right? Pass 100.0 % of the cells" in text
    assert (
        "are the masks good? Warning Patches that agree with a segmentation: 50.0 % at 40x, 0.0 % at 20x"
        in text
    )
    assert (
        "May I train on it? With care: the alignment is doubtful and too few patches agree" in text
    )


def test_facts_are_grouped_and_have_no_raw_names(page):
    text = _text(page)
    assert "Cells and nuclei Cells 3 Nuclei 3 Outlines of the nuclei from the Xenium bundle" in text
    assert "Size 230 \N{MULTIPLICATION SIGN} 300 px, 0.06 \N{MULTIPLICATION SIGN} 0.08 mm" in text
    assert "xoa_version</" not in page
    assert "he_width_px</" not in page


def test_the_cells_are_drawn_from_data_in_the_page(page):
    held = re.search(r'<script type="application/json" id="umap-data">(.*?)</script>', page)
    umap = json.loads(held[1])
    assert (umap["n_cells"], umap["n_drawn"]) == (2, 2)
    assert [group["class_name"] for group in umap["clusters"]] == ["T_NK", "Epithelial"]


def test_markers_stand_in_a_picture_and_in_a_table(page):
    text = _text(page)
    assert page.count('class="dot"') == 2 * 2 + 4
    assert "CD3E in T_NK: 100.0 % of the cells" in text
    assert "Gene Marks T_NK 1 cell Epithelial 1 cell" in text


def test_tangram_is_held_against_the_refined_labels(page):
    assert "They agree on 100.0 % of 2 cells." in _text(page)
    assert page.count('class="n own"') == 2


def test_clusters_can_be_filtered_and_acted_on_where_there_is_something_to_act(page):
    assert page.count('data-act="show" data-cluster=') == 2
    assert page.count('data-act="relabel"') == page.count('<code class="key">')
    assert all("hidden>" in tag for tag in re.findall(r"<button[^>]*data-act[^>]*>", page))
    assert re.search(r'<output [^>]*aria-live="polite"', page)


def test_it_says_what_the_masks_were_drawn_from(page):
    assert page.count("<p>Drawn from the outlines of the bundle, which are simplified. ") == 2
    assert page.count("were not compared: there is no raster of these nuclei.</p>") == 2


def test_it_says_what_the_masks_were_compared_with(page):
    assert page.count("Segmented by: CellViTSAM, checkpoint 01234567.") == 2


def test_problems_and_reasons_are_shown_as_text(page):
    assert "the H&amp;E says nothing of its &lt;size&gt;" in page
    assert "few tiles could be measured" in page
    assert "markers lead &amp; Tangram is silent" in page


def test_what_was_left_out_is_counted_by_reason(page):
    assert re.search(
        r"Patches at 40x without metrics</th><td>reach outside the image</td><td[^>]*>8<", page
    )
    assert re.search(
        r"Patches at 40x without metrics</th><td>no nucleus in the mask</td><td[^>]*>4<", page
    )
    assert re.search(r"Cells that became Other</th><td>too few transcripts</td><td[^>]*>1<", page)


def test_what_people_decided_is_shown_with_who_why_and_how_many(page):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "2 cluster 1 1 200 T_NK, T_CD8 300 Epithelial, Epithelial, already so Epithelial" in text
    assert "1 500 1 400 left by later lines A. Pathologist 2026-01-31 keratin &amp; EPCAM" in text
    assert "4 region of &lt;nest&gt;.geojson \N{EN DASH} T_NK T CD8 0 B 2026-01-31" in text


def test_without_decisions_there_is_no_table_of_them(files, tmp_path):
    table = pq.read_table(files["overrides"])
    pq.write_table(table.slice(0, 0), tmp_path / "overrides.parquet")
    page = make_report(files, tmp_path / "report.html", overrides=tmp_path / "overrides.parquet")
    assert "What people decided" not in page


def test_the_key_of_a_cluster_can_be_copied(page):
    assert '<code class="key">cluster:0@1.AAAAB</code>' in page
    assert page.count('<code class="key">') == 1


def test_the_gallery_shows_each_measured_patch_at_most_once(outline):
    shown = [alt for alt in outline.alts if alt.startswith("H&E patch") and "at 40x" in alt]
    assert len(shown) == len(set(shown)) == 8


def test_provenance_of_the_inputs_and_of_the_page_is_in_it(page):
    for name in ("transform.json", "masks_20x/manifest.json", "metrics_40x.parquet", "report.html"):
        assert f'<th scope="row">{name}</th>' in page


def test_the_same_inputs_give_the_same_page(files, page, tmp_path):
    assert make_report(files, tmp_path / "report.html") == page


def test_a_failed_alignment_forbids_training(files, tmp_path):
    text = files["transform"].read_text().replace('"warn"', '"fail"')
    failed = tmp_path / "transform.json"
    failed.write_text(text)
    assert "mend it first" in make_report(files, tmp_path / "report.html", transform=failed)


def test_without_a_segmentation_the_masks_are_not_measured_and_still_shown(files, tmp_path):
    metrics = []
    for scale in three_cells.SCALES:
        table = pq.read_table(files[f"metrics_{scale}"])
        frame = table.to_pandas()
        frame[["Dice", "Jaccard", "bPQ"]] = float("nan")
        frame["reason"] = frame["reason"].where(frame["reason"] == "outside", "not_run")
        nulls = frame.astype(object).where(frame.notna(), None)
        path = tmp_path / f"metrics_{scale}.parquet"
        pq.write_table(
            pa.Table.from_pandas(pd.DataFrame(nulls), table.schema, preserve_index=False), path
        )
        metrics.append(path)
    page = make_report(files, tmp_path / "report.html", metrics=metrics)
    assert "the masks were not compared with a segmentation." in page
    assert "<b>Unmeasured</b>" in page
    assert "not segmented" in page
    assert "Most nuclei" in page


def test_what_a_displacement_of_the_masks_does_is_shown(files, page, tmp_path):
    assert "masks displaced on purpose" not in page
    rows = [
        {
            "compared_with": of, "displacement_um": um, "moved_um": um, "n_windows": 8,
            **dict.fromkeys(("Dice", "Jaccard", "bPQ"), value),
            **dict.fromkeys(("Dice_in_place", "Jaccard_in_place", "bPQ_in_place"), 1.0),
        }
        for of, start in (("predictions", 0.6), ("masks", 1.0))
        for um, value in ((0.0, start), (2.0, start / 2))
    ]  # fmt: skip
    curve, empty = tmp_path / "curve.parquet", tmp_path / "empty.parquet"
    facts = {"n_patches": 123, "median_jaccard": 0.75, "worth_um": 1.04}
    write_table(curve, pd.DataFrame(rows), DISPLACEMENT, {}, facts)
    nothing = {"n_patches": 0, "median_jaccard": None, "worth_um": None}
    write_table(
        empty, pd.DataFrame(rows[:0], columns=DISPLACEMENT.names), DISPLACEMENT, {}, nothing
    )
    shown = make_report(files, tmp_path / "report.html", displacement=[curve, empty])
    assert shown.count("masks displaced on purpose, on 123 patches") == 1
    assert "The median of 0.75 is that of flawless outlines about 1.0 µm apart" in shown
    assert "0.0 µm 0.60 1.00 2.0 µm 0.30 0.50" in _text(shown)
    assert shown.count("median of the slide 0.75") == 1
    assert "was not measured" in shown


def test_scales_and_files_must_go_together(files, tmp_path):
    with pytest.raises(InputError, match="for each of the 1 --scale"):
        make_report(files, tmp_path / "report.html", scale=["40x"])
    assert not (tmp_path / "report.html").exists()


_QUALITY = {
    "n_measured": 2,
    "agreeing": 1.0,
    "coherent": 1.0,
    "drop": 0.4,
    "decay": {"shift_um": [0, 1, 2, 4, 8], "correlation": [0.55, 0.5, 0.4, 0.2, 0.1]},
    "matched": {"n_nuclei": 70, "n_matched": 55, "median_um": 0.74, "p95_um": 2.2},
    "inside": 0.96,
    "on_tissue": 0.91,
    "matrix": {
        "um_per_px": 0.255,
        "rotation_deg": 90.0,
        "mirrored": False,
        "anisotropy": 1.0,
        "shear_deg": 0.0,
    },
    "stated_um_per_px": None,
}
_COMPARED = {
    "given": {"median_um": 1.42, "p95_um": 2.5, "agreeing": 0.7},
    "refined": {"median_um": 0.41, "p95_um": 1.9, "agreeing": 1.0},
}


def test_the_quality_of_the_alignment_is_shown_with_what_it_means(files, tmp_path):
    known = read_transform(files["transform"])
    judged = replace(known, quality=_QUALITY, alternatives=_COMPARED, kept="refined")
    path = tmp_path / "transform.json"
    write_transform(path, judged, provenance("register"))
    files = {**files, "transform": path}
    page = make_report(files, tmp_path / "report.html")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "What was kept: given and refined" in text
    assert "as given 1.42 µm 2.50 µm 70.0 %" in text
    assert "given and refined 0.41 µm 1.90 µm 100.0 % kept" in text
    assert "Nuclei with a partner 78.6 %" in text
    assert "the file states no size" in text
    assert "Correlation by shift" in text
    assert 'aria-label="Correlation of nuclei and haematoxylin by shift: 0.55 at 0 µm' in page
    parser = _Outline()
    parser.feed(page)
    assert parser.open == []
    assert parser.captions == page.count("<table")


def test_a_transform_of_an_earlier_version_has_a_page_without_these_figures(page):
    assert "Nuclei with a partner" not in page
    assert "Correlation by shift" not in page


def test_a_slide_whose_cells_are_all_too_poor_says_what_was_not_measured(files, tmp_path):
    table = pq.read_table(files["labels"])
    frame = table.to_pandas()
    frame["decided_by"], frame["final_label"], frame["cluster"] = "low_count", "Other", None
    poor = tmp_path / "labels.parquet"
    pq.write_table(pa.Table.from_pandas(frame, table.schema, preserve_index=False), poor)
    text = _text(make_report(files, tmp_path / "report.html", labels=poor))
    assert "Not measured: no cell has enough transcripts to be clustered." in text
    assert "Not measured: no class has cells" in text
    assert "Not measured: no cell that Tangram mapped has enough transcripts." in text
    assert "too few labels rest on evidence" in text
