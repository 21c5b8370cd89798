"""Pages of those who answer for an organisation."""
