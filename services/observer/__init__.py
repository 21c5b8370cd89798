"""Where a newcomer sees a message's way: an OTLP receiver, a small store and one page."""
