"""What the demonstration tells: one story a convention, played by the people at their desks."""
