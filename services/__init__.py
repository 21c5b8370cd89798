"""What an organisation runs."""
