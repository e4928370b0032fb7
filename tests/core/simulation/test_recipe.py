from dataclasses import asdict

from sthelar_build.core.simulation.recipe import Recipe
from sthelar_build.settings.simulate import SimulateSettings


def test_the_settings_of_the_stage_are_the_recipe_and_a_revision():
    assert SimulateSettings().model_dump(exclude={"revision"}) == asdict(Recipe())
