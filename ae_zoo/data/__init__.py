"""Data: the chapter's digits, and rows in files."""

from ae_zoo.data.mnist import Digits, load_mnist
from ae_zoo.data.reading import Table, pieces, read, read_frame, read_rows
from ae_zoo.data.writing import writable, write, writer

__all__ = ["Digits", "Table", "load_mnist", "pieces", "read", "read_frame", "read_rows", "writable", "write", "writer"]
