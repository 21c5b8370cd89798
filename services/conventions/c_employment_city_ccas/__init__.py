"""What the parties of convention C record of it: employment agency, city and CCAS."""
