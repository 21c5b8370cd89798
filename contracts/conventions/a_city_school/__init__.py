"""Convention A: city and school, educational perseverance and alternatives to exclusion."""
