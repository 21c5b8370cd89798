"""What city and Mission Locale both keep of convention B: the same tables, facts and clocks."""
