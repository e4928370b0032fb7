"""The jobs that failed are read off what Snakemake writes."""

from sthelar_build.core.failed_jobs import FailedJob, failed_jobs

STARTED = """rule tile:
    input: a
    log: logs/s1/tile_40x.log
    jobid: 3
"""
FAILED = """Error in rule tile:
    message: None
    jobid: 3
    input: a
    log: logs/s1/tile_40x.log (check log file(s) for error details)
    shell:
        sthelar-build tile
        (command exited with non-zero exit code)
"""
OF_DATASET = """Error in rule collect:
    jobid: 7
    log: logs/dataset/collect_40x.log, .snakemake/slurm_logs/9.log (check log file(s) for error details)
"""
GROUP = """Error in group placed:
    jobs:
        rule register:
            jobid: 4
            log: logs/s2/register.log (check log file(s) for error details)
        rule tile:
            jobid: 5
            log: logs/s2/tile_20x.log (check log file(s) for error details)
"""


def test_a_job_that_failed_has_its_rule_its_log_and_its_slide():
    (job,) = failed_jobs(STARTED + FAILED)
    assert job == FailedJob("tile", "logs/s1/tile_40x.log")
    assert job.of == "s1"


def test_a_job_that_only_started_or_that_a_retry_saved_did_not_fail():
    assert failed_jobs(STARTED) == []
    assert failed_jobs(FAILED + STARTED + "Finished jobid: 3 (Rule: tile)\n") == []


def test_a_job_that_fails_at_every_attempt_is_told_once():
    assert len(failed_jobs(FAILED + STARTED + FAILED)) == 1


def test_jobs_of_the_dataset_and_of_a_group_are_told_each():
    found = failed_jobs(OF_DATASET + GROUP)
    assert [(job.rule, job.of) for job in found] == [
        ("collect", "dataset"),
        ("register", "s2"),
        ("tile", "s2"),
    ]
    assert found[0].log == "logs/dataset/collect_40x.log"


def test_a_job_without_a_log_is_told_without_one():
    assert failed_jobs("Error in rule all:\n    jobid: 0\n") == [FailedJob("all", "")]
    assert failed_jobs("Error in rule all:\n    jobid: 0\n")[0].of == ""
    assert failed_jobs("") == []
