"""What the cases are: how deep, how many genes, what is wrong with the segmentation and with the atlas."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sthelar_build.core.simulation.recipe import TissueName


@dataclass(frozen=True)
class Plan:
    """One case; all that differs from an easy slide is a field."""

    tissue: TissueName
    depth: float = 100.0
    """Expected transcripts of the median cell."""
    panel: int = 300
    """Genes of the panel; the atlas has 300 more."""
    spill: float = 0.05
    """Share of every cell's molecules that the segmentation gives to a neighbour."""
    batch_sd: float = 0.0
    """Standard deviation of log factors per gene between slide and atlas, beside the 0.45 of every atlas."""
    missing: tuple[str, ...] = ()
    """Fine types that the slide has and the atlas lacks."""
    extra: tuple[str, ...] = ()
    """Fine types that the atlas has and the slide lacks, beside pDC and Neutrophil."""
    relabelled: float = 0.0
    """Share of the atlas's cells that carry the label of another type."""
    rare: str = ""
    """Class of which only ``rare_share`` of the cells are left."""
    rare_share: float = 0.005
    seed: int = 1

    @property
    def width_um(self) -> float:
        """Side of the slide: six to eight thousand cells, as dense as the tissue is."""
        return 980.0 if self.tissue == "breast_cancer" else 1150.0


_OTHER_TISSUE = {
    "breast_cancer": ("Keratinocyte", "granular_keratinocyte", "basal_keratinocyte", "Melanocyte"),
    "skin": ("mammary_luminal", "mammary_basal", "CAF", "proliferating_mammary_luminal"),
}
_SHORT: dict[TissueName, str] = {"breast_cancer": "breast", "skin": "skin"}


def plans() -> dict[str, Plan]:
    """Return every case by its name."""
    found: dict[str, Plan] = {}
    for seed, (tissue, short) in enumerate(_SHORT.items(), start=1):
        base = Plan(tissue, seed=seed)
        for depth in (20, 50, 100, 300):
            found[f"{short}_depth{depth}"] = replace(base, depth=depth)
        found[f"{short}_depth50_spill15"] = replace(base, depth=50, spill=0.15)
        found[f"{short}_depth100_spill15"] = replace(base, spill=0.15)
        found[f"{short}_5k_depth300"] = replace(base, panel=5000, depth=300)
        found[f"{short}_batch"] = replace(base, batch_sd=0.8)
        found[f"{short}_extra"] = replace(base, extra=_OTHER_TISSUE[tissue])
        found[f"{short}_relabelled"] = replace(base, relabelled=0.05)
        found[f"{short}_all_wrong"] = _all_wrong(base)
    breast, skin = Plan("breast_cancer", seed=1), Plan("skin", seed=2)
    found["breast_5k_depth100"] = replace(breast, panel=5000)
    found["breast_no_b_plasma"] = replace(breast, missing=("B", "Plasma"))
    found["breast_no_vessel"] = replace(
        breast, missing=("Endothelial", "Pericyte", "Smooth_muscle")
    )
    found["skin_no_melanocyte"] = replace(skin, missing=("Melanocyte",))
    found["breast_rare_b_plasma"] = replace(breast, rare="B_Plasma")
    found["breast_rare_vessel"] = replace(breast, rare="Blood_vessel")
    found["skin_rare_melanocyte"] = replace(skin, rare="Melanocyte")
    return found


def _all_wrong(base: Plan) -> Plan:
    return replace(
        base,
        depth=50,
        spill=0.15,
        batch_sd=0.5,
        extra=_OTHER_TISSUE[base.tissue],
        relabelled=0.05,
    )
