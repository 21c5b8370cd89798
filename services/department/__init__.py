"""The department, in charge of child protection and social inclusion."""
