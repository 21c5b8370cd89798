"""Convention C as its three parties carry it out; every part's tables belong to one branch."""

from services.conventions.c_employment_city_ccas import territory_models as territory_models
