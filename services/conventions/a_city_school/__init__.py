"""Convention A as both city and school keep it: the pathway, the measure, their clocks."""
