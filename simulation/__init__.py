"""Simulates whole scenarios, each made from a seed, that try to make the sync's index differ from its table."""
