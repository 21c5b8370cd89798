"""Pages in a real browser, by `make test-browser`."""
