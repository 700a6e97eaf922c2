"""Peak memory of a process that trains on all digits with the defaults."""

import resource

import ae_zoo
from benchmarks import common


def main() -> None:
    x = common.digits().x_train
    model = ae_zoo.build("undercomplete", 784, hidden=[], code=100, seed=1)
    ae_zoo.fit(model, x, epochs=3, verbose=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    common.verdict(f"peak memory, {len(x):,} rows of 784", peak, 1.5, at_most=True, unit=" GB")


if __name__ == "__main__":
    main()
