"""The verbs that models of tables have besides those of all models."""

from typing import TYPE_CHECKING, cast

from ae_zoo.tables import verbs
from ae_zoo.typing import Rows

if TYPE_CHECKING:
    import pandas as pd

    from ae_zoo.autoencoder import Autoencoder


class TableVerbs:
    """What an `Autoencoder` of a table can say of its cells."""

    def explain(self, x: Rows, *, top: int | None = None) -> "pd.DataFrame":
        """Returns why rows of a table are strange: a line for each row and column, the likeliest cause of a row first.

        A cell is compared with what the model expects if it sees only the row's other cells. A wrong cell spoils what is
        expected of the others, so the order is by the cell's error over the errors that the others have without it.

        Args:
            x: rows of the table.
            top: how many columns of each row to return, the likeliest causes; None for all.

        Returns:
            A frame with the columns `row` (the frame's index), `column`, `seen`, `expected` (the range of nine in ten cells,
            or the likeliest level and its probability), `error` (1 for a model that always says what is usual) and `p_value`
            (the share of held-out cells of this column with at least this error, or of training cells if none were held
            out; NaN if the model was not trained by `ae_zoo.fit`). Its index is the position of the row.

        Raises:
            AEZooError: the model is not of a table.
        """
        return verbs.explain(_learned(self), x, top=top)

    def impute(self, x: Rows, *, draws: int | None = None, seed: int | None = None) -> "pd.DataFrame":
        """Returns a table's rows with their holes filled with what the model expects; other cells stay as they are.

        Args:
            x: rows of the table.
            draws: fill each hole this many times by a draw from its distribution, given the row's other cells, instead; for
                `variational` alone. An analysis of each of the draws shows how much the holes leave open (Rubin 1987).
            seed: of the draws; equal seeds give equal draws; None draws a seed.

        Returns:
            The frame with its holes filled. With `draws`, one such frame below the other, with a first level `draw` of the
            index, from 0.

        Raises:
            AEZooError: the model is not of a table, or draws are wanted of a family without a distribution of codes.
        """
        return verbs.impute(_learned(self), x, draws=draws, seed=seed)

    def level_probabilities(self, x: Rows) -> "pd.DataFrame":
        """Returns the probability of each level of a table's categories and booleans, for the reconstructions of rows.

        Of levels that the training rows have too rarely ("other") there is none, so those of a column add up to 1. The
        likeliest level is the one that `reconstruct` returns.

        Returns:
            A frame `(n, levels)` with the rows' index, whose columns have two levels, `column` and `level`:
            `found["country"]` is `(n, levels of country)`.

        Raises:
            AEZooError: the model is not of a table, or the table has neither categories nor booleans.
        """
        return verbs.level_probabilities(_learned(self), x)

    def importance(self, x: Rows, *, seed: int = 1) -> "pd.Series[float]":
        """Returns how much each column of a table tells about the others, the most telling first.

        It is the growth of the other columns' mean error when the column's cells are exchanged between the rows (Breiman
        2001, section 10).

        Args:
            x: rows that the model was not trained on, at least 2. A column without a cell that is present gets NaN.
            seed: of the exchange.

        Raises:
            AEZooError: the model is not of a table, or there is only one row.
        """
        return verbs.importance(_learned(self), x, seed=seed)


def _learned(model: TableVerbs) -> "Autoencoder":
    """Returns the model, which the verbs are of; warns, or raises, if it has not been trained."""
    found = cast("Autoencoder", model)
    found.check_learned()
    return found
