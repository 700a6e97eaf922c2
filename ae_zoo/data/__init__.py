"""Data: the chapter's digits, and one's own files."""

from ae_zoo.data.mnist import Digits, load_mnist
from ae_zoo.data.tables import Table, read, write

__all__ = ["Digits", "Table", "load_mnist", "read", "write"]
