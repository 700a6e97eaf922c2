"""Tables as people have them: numbers, categories, booleans and dates, with holes.

`frames.py` makes a frame of pandas from rows of any form, `cells.py` reads its cells, `columns.py` says what a column is,
`guess.py` makes columns from a frame, and `schema.py` makes a row of columns: from a frame to coded numbers and back. The
layer from coded numbers to the networks is in `layers/table.py`, the losses are in `losses.py`, what a model says of cells in
`verbs.py`, and the columns as a server takes them in `raw.py`.
"""
