"""What was signed: pure rules and vocabulary, without network, database or clock."""
