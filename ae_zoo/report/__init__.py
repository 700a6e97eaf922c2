"""Pages that hold text, tables and pictures in one file."""
