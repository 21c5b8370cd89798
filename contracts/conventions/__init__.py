"""The conventions, one folder each; the registry finds them by listing this folder."""
