"""Benchmarks with their baselines: every figure is a ratio of things measured in one run."""
