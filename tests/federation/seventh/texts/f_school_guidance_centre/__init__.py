"""Convention F, of the tests' own: a school and a guidance centre, short work discoveries."""
