"""Lines of a check-up: marks in words, and a last line that says whether to go on."""

from sthelar_build.core.checkup import Line, Section, closing, n_marked, package_lines

OK, WARNING, PROBLEM = (
    Line("ok", "a", "1"),
    Line("warning", "b", "2", "do this"),
    Line("problem", "c", "3"),
)


def test_the_mark_is_a_word_and_the_remedy_stands_beneath():
    assert OK.text() == "  ok       a: 1"
    assert WARNING.text().splitlines() == ["  warning  b: 2", "           -> do this"]


def test_the_last_line_counts_problems_and_warnings():
    assert closing([Section("x", (OK,))]) == "All is well: snakemake --cores all"
    assert closing([Section("x", (OK, WARNING))]).startswith("No problem, 1 warning: it will run")
    both = [Section("x", (WARNING, PROBLEM)), Section("y", (PROBLEM,))]
    assert closing(both).startswith("2 problems, 1 warning: mend")
    assert closing([Section("x", (PROBLEM,))]).startswith("1 problem, 0 warnings")
    assert n_marked(both, "problem") == 2


def test_packages_as_the_lock_has_them_are_one_line():
    (line,) = package_lines({"numpy": "", "torch": ""}, {"numpy": "2.0", "torch": "2.13.0"}, {})
    assert (line.mark, line.found) == ("ok", "2 of 2, as the project asks")
    (line,) = package_lines({"numpy": ""}, {"numpy": "2.0"}, {"numpy": "2.0"})
    assert line.found == "1 of 1, the versions of the lock"


def test_another_version_than_that_of_the_lock_is_a_warning_and_one_that_does_not_fit_a_problem():
    required = {"numpy": "", "torch": "expected >=2.4, found none"}
    installed = {"numpy": "2.1", "torch": None}
    problem, warning = package_lines(required, installed, {"numpy": "2.0", "torch": "2.13.0"})
    assert (problem.mark, problem.name, problem.found) == ("problem", "torch", required["torch"])
    assert warning.mark == "warning"
    assert warning.found.endswith("numpy 2.1 (2.0)")
