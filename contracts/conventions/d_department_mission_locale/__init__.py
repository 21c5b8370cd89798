"""Convention D: a department and a Mission Locale, under the national frame of 8 October 2024."""
