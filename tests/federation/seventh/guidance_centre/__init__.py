"""A guidance centre (CIO), which receives pupils who look for their way."""
