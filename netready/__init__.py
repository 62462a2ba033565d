"""The nouns: what every other room speaks of. Nothing here opens a file, a socket or a clock."""

__version__ = "0.1.0"
