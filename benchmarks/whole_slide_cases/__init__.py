"""What ``benchmarks/whole_slide.py`` is made of: a large slide, its run, and the table of what every stage took."""
