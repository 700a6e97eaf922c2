"""Rows scored in a second by `reconstruction_error` with its defaults."""

import ae_zoo
from benchmarks import common


def main() -> None:
    x = common.digits().x_train
    for hidden, code in (((), 100), ((300,), 100)):
        model = ae_zoo.build("undercomplete", 784, hidden=hidden, code=code, seed=1)
        model.adapt(x[:5000])  # so that it does not warn that it is not trained
        model.reconstruction_error(x[:5000])
        rate = len(x) / common.best_seconds(lambda model=model: model.reconstruction_error(x), 5)
        name = "-".join(map(str, (784, *hidden, code, *reversed(hidden), 784)))
        if hidden:
            print(f"  {name}: {rate:,.0f} rows a second", flush=True)
        else:
            common.verdict(f"{name}, rows scored a second", rate, 150_000, at_most=False)


if __name__ == "__main__":
    main()
