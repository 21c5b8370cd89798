"""The vocabulary that every convention is written in."""
