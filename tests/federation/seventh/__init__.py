"""A seventh kind of organisation, invented: its folder, a text that binds it, and an exchange."""
