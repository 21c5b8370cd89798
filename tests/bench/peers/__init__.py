"""The peers that Relais is measured against, each written as a good engineer would."""
