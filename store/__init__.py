"""They remember. SQLite is the embedded default; another engine would stand behind the same few functions."""

from store.opening import open_store
from store.sqlite import Store, StoreError

__all__ = ["Store", "StoreError", "open_store"]
