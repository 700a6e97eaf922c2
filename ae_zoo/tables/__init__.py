"""Tables as people have them: numbers, categories, booleans and dates, with holes.

`frames.py` makes frames of pandas from rows of any form, `cells.py` reads their cells, and `columns.py` says what a column
is. `summary.py` learns a table's columns in one pass: `guess.py` has the rules for their kinds, `statistics.py` and
`histogram.py` what is counted, and `scale.py` the scale of numbers with long tails. `schema.py` makes a row of columns: from
a frame to coded numbers and back. The layer from coded numbers to the networks is in `layers/table.py`, the losses are in
`losses.py`, what a model says of cells in `verbs.py`, and the columns as a server takes them in `raw.py`.
"""
