"""A package of conventions that holds one text of the tests' own, and none of the product's."""
