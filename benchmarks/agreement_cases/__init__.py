"""The plain implementation that the benchmark of the metrics compares with."""
