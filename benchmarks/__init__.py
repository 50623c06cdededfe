"""How fast the function is, beside what else could do its work: ``make bench``."""
