"""Convergence tests: whole scenarios, made from a seed, that try to drive the function's index and its table apart."""
