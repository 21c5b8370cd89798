"""What the two sides of a convention keep alike: one folder each, beside those of the partners."""
