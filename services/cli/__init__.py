"""The command line: French for people, JSON for programs, one line on stderr when it fails."""
