"""The public employment agency."""
