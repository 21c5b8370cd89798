"""The permission compiler: from conventions in force to what NATS lets through."""
