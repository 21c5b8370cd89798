"""Revisions of the branch `chassis`, oldest first."""
