"""The embedded federation: every organisation's node on loopback, under one supervisor."""
