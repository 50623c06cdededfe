"""The rules: what becomes of a change. Imports nothing but Python and itself."""
