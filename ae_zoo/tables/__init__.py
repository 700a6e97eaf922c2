"""Tables as people have them: numbers, categories, booleans and dates, with holes.

`columns.py` says what a column is, `guess.py` makes columns from a frame, and `schema.py` makes a row of them: from a frame
to coded numbers and back. The layer from coded numbers to the networks is in `layers/table.py`, the losses in `losses.py`.
"""
