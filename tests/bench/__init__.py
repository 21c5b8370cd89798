"""The bench: Relais beside honest peers, in ratios taken within one run."""
