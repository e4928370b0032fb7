import pytest
import torch

from sthelar_build.adapters.cellvit.devices import chosen_device, chosen_precision, repeatable
from sthelar_build.errors import ConfigError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_auto_takes_the_best_device_of_the_machine():
    best = "cuda" if torch.cuda.is_available() else "cpu"
    if torch.backends.mps.is_available():
        best = "mps"
    assert chosen_device("auto").type == best
    assert chosen_device("cpu") == CPU


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"segment\.device: .* can use for cuda, found none"):
        chosen_device("cuda")


def test_a_device_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="expected auto, cuda, mps or cpu, found 'gpu'"):
        chosen_device("gpu")


def test_half_precision_is_for_networks_trained_so_on_a_gpu():
    assert chosen_precision("auto", CUDA, trained_in_fp16=True) == "fp16"
    assert chosen_precision("auto", CUDA, trained_in_fp16=False) == "fp32"
    assert chosen_precision("auto", CPU, trained_in_fp16=True) == "fp32"
    assert chosen_precision("bf16", CPU, trained_in_fp16=False) == "bf16"


def test_a_precision_that_is_unknown_or_not_for_a_cpu_is_refused():
    with pytest.raises(ConfigError, match="expected one of auto, fp32, bf16, fp16, found 'int8'"):
        chosen_precision("int8", CPU, trained_in_fp16=False)
    with pytest.raises(ConfigError, match="expected fp32 or bf16 on a cpu, found fp16"):
        chosen_precision("fp16", CPU, trained_in_fp16=False)


def test_convolutions_on_a_gpu_are_exact_while_the_network_runs_and_as_before_afterwards():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    with repeatable(CUDA):
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.allow_tf32
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic) == before
