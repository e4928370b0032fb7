"""The code that a card shows can be read by Python, and names the files of its format."""

import ast

from sthelar_build.io.loading import loading_examples


def test_every_example_is_python_on_the_folder_of_its_format():
    examples = loading_examples("skin_s1", 256)
    assert {"pannuke", "sthelar", "cellvit", "huggingface"} <= set(examples)
    for name, code in examples.items():
        ast.parse(code)
        assert f"{name}/" in code
    assert "masks_skin_s1.npz" in examples["sthelar"]
    assert "256, 256" in examples["sthelar"]
