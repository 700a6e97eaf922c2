"""A table with texts, dates and holes, for tests."""

import numpy as np
import pandas as pd


def table(rows=600, seed=0):
    """A country follows from its city, and an amount from the country; the rest is random. One cell in ten is missing."""
    random = np.random.default_rng(seed)
    city = random.choice(["Oslo", "Bergen", "Paris", "Lyon"], rows, p=[0.4, 0.2, 0.3, 0.1])
    north = np.isin(city, ["Oslo", "Bergen"])
    frame = pd.DataFrame(
        {
            "city": city,
            "country": np.where(north, "NO", "FR"),
            "amount": np.where(north, 100, 20) + random.normal(0, 5, rows),
            "children": random.poisson(2, rows),
            "member": random.random(rows) < 0.3,
            "since": pd.Timestamp("2020-01-06") + pd.to_timedelta(random.integers(0, 1000, rows), "D"),
        }
    )
    frame.loc[random.random(rows) < 0.1, "amount"] = np.nan
    frame.loc[random.random(rows) < 0.1, "city"] = None
    return frame
