"""Finds which table and which index a command works on."""
