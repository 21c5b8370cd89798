"""Convention D at its two parties, a department and a Mission Locale."""
