"""The CCAS, the city's public body for social action."""
