"""Anomaly detection: scores, thresholds that keep their word, and what they promise.

| module      | content                                                                |
|-------------|------------------------------------------------------------------------|
| `detect`    | from rows to a calibrated detector, in one call                        |
| `detector`  | the detector and its verbs                                             |
| `scores`    | what makes a row strange                                               |
| `surprise`  | how surprising a value is among held-out ones                          |
| `neighbors` | the distance to stored training rows                                   |
| `conformal` | p-values, thresholds, and the selection of rows to look at             |
| `groups`    | a calibration for each group of rows                                   |
| `stored`    | a detector's file                                                      |
"""
