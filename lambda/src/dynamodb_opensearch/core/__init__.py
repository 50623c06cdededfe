"""The rules: how changes become writes, and what their outcomes mean. Imports nothing but Python and itself."""
