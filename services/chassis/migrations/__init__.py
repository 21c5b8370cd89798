"""Migrations of the tables that every node shares, and the script by which Alembic runs them."""
