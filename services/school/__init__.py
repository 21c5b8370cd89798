"""A school: it opens referrals, collects agreements, and reads the city's answers."""
