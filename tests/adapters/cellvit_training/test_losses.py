import pytest
import torch

from sthelar_build.adapters.cellvit.network import Logits
from sthelar_build.adapters.cellvit_training.losses import (
    LossWeights,
    Targets,
    dice_loss,
    focal_tversky_loss,
    hv_gradient_loss,
    training_loss,
)

# Two pixels: the first is nucleus for sure, and is one; the second may be one, and is none.
PROBABILITY = torch.tensor([[[[0.0, 0.5]], [[1.0, 0.5]]]])
TRUTH = torch.tensor([[[[0.0, 1.0]], [[1.0, 0.0]]]])
BACKGROUND_DICE, NUCLEUS_DICE = 1 - 1 / 1.5, 1 - 2 / 2.5


def test_dice_is_summed_over_the_classes():
    assert dice_loss(PROBABILITY, TRUTH).item() == pytest.approx(BACKGROUND_DICE + NUCLEUS_DICE)


def test_class_weights_count_relative_to_their_mean():
    weighted = dice_loss(PROBABILITY, TRUTH, torch.tensor([0.1, 0.3]))
    assert weighted.item() == pytest.approx(0.5 * BACKGROUND_DICE + 1.5 * NUCLEUS_DICE)


def test_focal_tversky_minds_what_is_missed_more_than_what_is_invented():
    # Background: half a pixel found, half missed. Nucleus: one found, half a pixel invented.
    background = (1 - 0.5 / (0.5 + 0.7 * 0.5)) ** 0.75
    nucleus = (1 - 1 / (1 + 0.3 * 0.5)) ** 0.75
    assert focal_tversky_loss(PROBABILITY, TRUTH).item() == pytest.approx(background + nucleus)


def test_perfect_maps_cost_nearly_nothing_and_have_finite_slopes():
    logits = torch.full((1, 2, 4, 4), 50.0, requires_grad=True)
    truth = torch.tensor([0.0, 1.0])[None, :, None, None].expand(1, 2, 4, 4)
    loss = focal_tversky_loss((logits * (2 * truth - 1)).softmax(1), truth)
    loss.backward()
    assert loss.item() < 1e-3
    assert torch.isfinite(logits.grad).all()


def test_a_wrong_slope_of_the_distances_costs_its_square_within_nuclei_only():
    # Of a ramp x the filter makes sum(x^2 / (x^2 + y^2)) = 12: half of the 24 pixels around the middle.
    ramp = torch.arange(9.0).expand(9, 9)
    predicted = torch.stack([0.5 * ramp, torch.zeros(9, 9)])[None]
    nucleus = torch.zeros(1, 9, 9, dtype=torch.int64)
    nucleus[0, 4, 4] = 1
    # Two maps, of which one is wrong by 12 * 0.5.
    loss = hv_gradient_loss(predicted, torch.zeros(1, 2, 9, 9), nucleus)
    assert loss.item() == pytest.approx(6**2 / 2, rel=1e-5)


def test_the_upright_distance_is_filtered_upright():
    ramp = torch.arange(9.0).expand(9, 9)
    nucleus = torch.zeros(1, 9, 9, dtype=torch.int64)
    nucleus[0, 4, 4] = 1
    sideways = torch.stack([torch.zeros(9, 9), ramp])[None]
    upright = torch.stack([torch.zeros(9, 9), ramp.T])[None]
    none = torch.zeros(1, 2, 9, 9)
    assert hv_gradient_loss(sideways, none, nucleus).item() == pytest.approx(0, abs=1e-6)
    assert hv_gradient_loss(upright, none, nucleus).item() == pytest.approx(12**2 / 2, rel=1e-5)


def test_no_nucleus_has_no_gradient_loss():
    hv = torch.ones(1, 2, 9, 9)
    assert hv_gradient_loss(hv, -hv, torch.zeros(1, 9, 9, dtype=torch.int64)).item() == 0


def outputs_and_targets():
    generator = torch.Generator().manual_seed(1)
    logits = Logits(
        binary=torch.randn(2, 2, 16, 16, generator=generator),
        hv=torch.randn(2, 2, 16, 16, generator=generator),
        types=torch.randn(2, 3, 16, 16, generator=generator),
        tissue=torch.randn(2, 4, generator=generator),
        regression=None,
        tokens=torch.zeros(2, 8, 1, 1),
    )
    types = torch.randint(0, 3, (2, 16, 16), generator=generator)
    targets = Targets((types > 0).long(), torch.zeros(2, 2, 16, 16), types, torch.tensor([0, 3]))
    return logits, targets


def test_the_loss_is_the_weighted_sum_of_its_terms():
    logits, targets = outputs_and_targets()
    total, terms = training_loss(logits, targets, LossWeights())
    published = LossWeights()
    assert len(terms) == 8
    expected = sum(getattr(published, name) * value.item() for name, value in terms.items())
    assert total.item() == pytest.approx(expected)
    assert terms["hv_mse"].item() == pytest.approx(logits.hv.square().mean().item())


def test_a_term_without_weight_is_not_computed():
    logits, targets = outputs_and_targets()
    none = dict.fromkeys(LossWeights().__dict__, 0.0)
    total, terms = training_loss(logits, targets, LossWeights(**{**none, "tissue_entropy": 2.0}))
    assert list(terms) == ["tissue_entropy"]
    expected = -logits.tissue.log_softmax(1)[[0, 1], [0, 3]].mean()
    assert total.item() == pytest.approx(2 * expected.item())


def test_a_network_without_types_cannot_be_trained():
    logits, targets = outputs_and_targets()
    with pytest.raises(ValueError, match="types"):
        training_loss(logits._replace(types=None), targets, LossWeights())
