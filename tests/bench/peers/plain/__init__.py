"""The plain peer: the same promises as Relais, kept the plain way, ORM and one commit a message."""
