"""Migrations of this partner's own tables."""
