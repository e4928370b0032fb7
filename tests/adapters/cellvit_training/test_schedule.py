import pytest

from sthelar_build.adapters.cellvit_training.schedule import Schedule


def test_it_rises_then_falls_along_a_cosine():
    schedule = Schedule("cosine", epochs=11, warmup_epochs=1)
    found = [schedule.factor(epoch) for epoch in (0, 0.5, 1, 6, 11)]
    assert found == pytest.approx([0, 0.5, 1, 0.505, 0.01])


def test_it_falls_by_a_factor_every_epoch_but_not_to_nothing():
    schedule = Schedule("exponential", epochs=100, warmup_epochs=0, decay=0.5)
    found = [schedule.factor(epoch) for epoch in (0, 1, 2, 50)]
    assert found == pytest.approx([1, 0.5, 0.25, 0.01])
