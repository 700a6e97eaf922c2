"""`python -m ae_zoo` is `ae-zoo`."""

from ae_zoo.cli import main

if __name__ == "__main__":
    main()
