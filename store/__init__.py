"""They remember. SQLite is the embedded default; another engine would stand behind the same few functions."""

from store.sqlite import Store, StoreError, open_store

__all__ = ["Store", "StoreError", "open_store"]
