"""Anomaly detection: scores, thresholds that keep their word, and what they promise.

| module      | content                                                                |
|-------------|------------------------------------------------------------------------|
| `detect`    | from rows to a calibrated detector, in one call                        |
| `detector`  | the detector and its verbs                                             |
| `calibrated`| its scores, threshold and promise                                      |
| `scores`    | what makes a row strange                                               |
| `row_error` | the error of a row, as a mean over its numbers                         |
| `surprise`  | how surprising a value is among held-out ones                          |
| `neighbors` | the distance to stored training rows                                   |
| `conformal` | p-values, thresholds, and the selection of rows to look at             |
| `groups`    | a calibration for each group of rows                                   |
| `stored`    | a detector's file                                                      |
| `monitor`   | whether new rows are still like the held-out ones                      |
| `reference` | what is kept of held-out rows, to compare new ones with                |
| `martingale`| a bet that scores stay exchangeable                                    |
| `drift`     | how a column is spread, and whether other rows are spread differently  |
| `drift_report`, `drift_page` | what a batch of new rows says, as text and as a page  |
| `compare`   | whether rows need an autoencoder                                       |
| `rivals`    | what finds strange rows without a network; `ecod` is one of them       |
| `strangers` | strange rows that are made up                                          |
| `judge`     | how well scores tell strange rows from ordinary ones                   |
"""
