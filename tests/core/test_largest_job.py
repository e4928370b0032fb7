"""The job that asks for the most memory."""

from sthelar_build.core.largest_job import largest_job
from sthelar_build.needs import Need, RawSize


def need(mb_each):
    return Need(
        mb_slides="all", mb=0, mb_each=mb_each, mb_of="kcells", mb_per_thread=0, minutes=1, minutes_each=0, minutes_of="he_mpx"
    )  # fmt: skip


NEEDS = {"count": need(10), "collect": need(9)}
SIZES = {"small": RawSize(kcells=100), "large": RawSize(kcells=1000)}
WHOLE = RawSize(kcells=1100)


def test_it_is_that_of_the_largest_slide():
    job = largest_job(["count"], NEEDS, SIZES, WHOLE, ())
    assert (job.stage, job.slide, job.mem_mb) == ("count", "large", 15000)


def test_a_stage_that_takes_all_slides_at_once_counts_them_together():
    job = largest_job(["collect"], NEEDS, SIZES, WHOLE, ["collect"])
    assert (job.slide, job.mem_mb) == ("", 14850)
    assert largest_job(["count", "collect"], NEEDS, SIZES, WHOLE, ["collect"]).stage == "count"


def test_without_stages_there_is_none():
    assert largest_job([], NEEDS, SIZES, WHOLE, ()) is None
