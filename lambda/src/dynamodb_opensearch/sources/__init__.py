"""What an event source delivers, read as changes."""
