"""Ten million rows scored by an exported model, without a server: rows a second, and the memory that it takes."""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import pyarrow
import pyarrow.parquet

import ae_zoo
from benchmarks.common import verdict

ROWS, FEATURES, PIECE = int(os.environ.get("AE_ZOO_ROWS", 10_000_000)), 20, 500_000


def main() -> None:
    random = np.random.default_rng(1)
    names = [f"f{index}" for index in range(FEATURES)]
    model = ae_zoo.build("undercomplete", FEATURES, code=5, hidden=[32], seed=1)
    with tempfile.TemporaryDirectory() as folder:
        ae_zoo.export(model, pathlib.Path(folder) / "model")
        path, done = pathlib.Path(folder) / "rows.parquet", 0
        schema = pyarrow.schema([(name, pyarrow.float32()) for name in names])
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            while done < ROWS:
                rows = random.random((min(PIECE, ROWS - done), FEATURES), "float32")
                writer.write_table(pyarrow.table(dict(zip(names, rows.T, strict=True)), schema))
                done += len(rows)
        command = [sys.executable, "-m", "ae_zoo", "score", "--model", f"{folder}/model", str(path)]
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begin
        written = pyarrow.parquet.ParquetFile(path.with_suffix(".scores.parquet")).metadata.num_rows
        assert written == ROWS
    # The largest of all children, of which this is the only large one; kibibytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"  {ROWS:,} rows of {FEATURES} in {seconds:.0f} s: {ROWS / seconds:,.0f} rows a second", flush=True)
    verdict("peak memory", peak / 1e9, 1.5, at_most=True, unit=" GB")


if __name__ == "__main__":
    main()
