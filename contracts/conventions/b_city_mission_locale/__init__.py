"""Convention B: city and Mission Locale, two referents beside one young person."""
