"""What every node shares, whatever the kind of its organisation."""
