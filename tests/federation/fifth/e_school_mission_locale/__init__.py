"""Convention E, of the tests' own: a school and the Mission Locale, short work discoveries."""
