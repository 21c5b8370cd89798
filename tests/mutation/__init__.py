"""Mutation testing of what was signed: each rule changed or taken away, one at a time."""
