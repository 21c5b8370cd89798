"""The Mission Locale, which supports young people from 16 to 25."""
