"""Event sources: what they deliver is read as changes here."""
