"""The directory, and the one place that pushes compiled grants to the hub."""
