"""Convention C: employment agency, city and CCAS, three parties on the road to a job."""
