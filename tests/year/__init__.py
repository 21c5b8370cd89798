"""A school year on an accelerated clock."""
