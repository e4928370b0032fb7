"""What a cluster is asked for; one folder has one workflow at a time."""

import re
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from workflow.clones import clean_clone

pytestmark = pytest.mark.workflow


def plan(clone, *words):
    done = clone.snakemake("--dry-run", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = re.findall(
        r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)\n", said(done), re.MULTILINE
    )
    return {rule: resources for rule, resources in jobs if rule != "all"}


def said(done):
    return done.stdout + done.stderr


@pytest.mark.parametrize("profile", ["profiles/default", "profiles/slurm"])
def test_a_gpu_is_asked_for_where_the_configuration_names_one(clone, profile):
    with_profile = ("--workflow-profile", profile)
    asks = plan(clone, *with_profile, "--config", "segment={'device': 'cuda'}")
    assert [rule for rule, resources in asks.items() if "gpu=" in resources] == ["segment"]
    # The stain needs no network, whatever the device.
    stain = "segment={'device': 'cuda', 'method': 'haematoxylin'}"
    asks = plan(clone, *with_profile, "--config", stain)
    assert not any("gpu=" in resources for resources in asks.values())


def test_a_job_of_a_cluster_takes_no_more_cores_than_it_was_given(clone):
    cores = ("--cores", "16", "--dry-run")
    assert "threads: " in said(clone.snakemake(*cores))
    # In this mode Snakemake runs inside a job, where it sees all cores of the node.
    inside = said(clone.snakemake(*cores, "--mode", "remote"))
    assert "rule rasterise:" in inside
    assert "threads: " not in inside


@contextmanager
def paused_in_the_folder(clone, target):
    """A workflow that holds the folder's lock, stopped so that no fast machine ends it early."""
    with (clone.folder / "first.log").open("w") as log:
        first = subprocess.Popen(
            clone.command(target),
            cwd=clone.folder,
            env=clone.environment,
            stdout=log,
            stderr=log,
        )
        locks = clone.folder / ".snakemake/locks"
        while first.poll() is None and not any(
            lock.stat().st_size for lock in locks.glob("*.output.lock")
        ):
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        try:
            yield first
        finally:
            first.send_signal(signal.SIGCONT)
            first.wait()


def test_a_second_workflow_in_the_folder_is_refused_and_leaves_the_first_alone(tmp_path):
    clone = clean_clone(tmp_path)
    image = "resources/toy/toy_auto/he_image.ome.tif"
    with paused_in_the_folder(clone, image) as first:
        second = clone.snakemake("results/toy_auto/preflight.json")
    assert second.returncode == 1
    assert "no other Snakemake process is trying to create the same files" in said(second)
    assert first.returncode == 0
    assert (tmp_path / image).exists()
    assert not (tmp_path / "results/toy_auto/preflight.json").exists()
