"""What the columns of a frame are: by stated rules, or as the caller says.

The rules, in this order, of the cells that are present:

1. booleans, the texts true and false, or whole numbers that are all 0 or 1: boolean;
2. dates, times and periods, or texts that are all ISO 8601 dates: date;
3. numbers, Decimal, and texts that are all numbers, none with a zero in front: integer if all are whole, number otherwise;
4. a categorical type, or other texts: category.

Texts in which more than half of the cells are different are an identifier or free text, of which a network can learn nothing:
they are refused, unless the caller says what they are.
"""

import dataclasses
import decimal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ae_zoo._support import checks
from ae_zoo.errors import AEZooError, AEZooWarning, short, unknown
from ae_zoo.tables import cells as read
from ae_zoo.tables.columns import KINDS, Column, Kind
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

Said: TypeAlias = Kind | Literal["ignore"]
FEW = 50  # cells; among fewer, differences do not tell an identifier from a category
DIFFERENT = 0.5  # share of different cells above which texts are an identifier or free text
SCALINGS = ("standard", "robust")


@dataclasses.dataclass(frozen=True)
class Rules:
    """How the statistics of columns are taken.

    Attributes:
        max_levels: of a category; the rarest of more are taken together as "other".
        min_count: rows that a level needs, unless none has as many; rarer ones are taken together as "other".
        scaling: `"standard"` (mean and standard deviation) or `"robust"` (median and quartiles), of numbers and dates.
    """

    max_levels: int = 1000
    min_count: int = 2
    scaling: str = "standard"

    def __post_init__(self) -> None:
        checks.count("max_levels", self.max_levels)
        checks.count("min_count", self.min_count)
        if self.scaling not in SCALINGS:
            raise unknown("scaling of a table", self.scaling, SCALINGS)


def columns_of(frame: "pd.DataFrame", said: Mapping[str, str], rules: Rules) -> tuple[Column, ...]:
    """Returns the columns of a frame, without those that are to be ignored.

    Args:
        frame: the training rows.
        said: the kind of a column, or `"ignore"`, by name; the others are guessed.
        rules: how their statistics are taken.

    Raises:
        AEZooError: a column is an identifier or free text, or not of the kind that is said.
    """
    names = [str(name) for name in frame.columns]
    for name, kind in said.items():
        if name not in names:
            raise unknown("column", name, names)
        if kind not in (*KINDS, "ignore"):
            raise unknown("kind of a column", kind, (*KINDS, "ignore"))
    found = []
    for name, cells in zip(names, (frame.iloc[:, place] for place in range(frame.shape[1])), strict=True):
        kind = said.get(name) or guess(cells, name)
        if kind != "ignore":
            found.append(column(cells, name, kind, rules))  # type: ignore[arg-type]
    if not found:
        raise AEZooError("The table has no columns to learn from.")
    empty = [each.name for each in found if each.missing == 1]
    if empty:
        import warnings

        warnings.warn(
            f"The column {empty[0]!r} has no cell that is present, so the model learns nothing of it: leave it out, or give "
            f"{empty[0]}='ignore'.",
            AEZooWarning,
            stacklevel=3,
        )
    return tuple(found)


def guess(cells: "pd.Series[Any]", name: str) -> Kind:
    """Returns what a column is, by the rules above.

    Raises:
        AEZooError: it is an identifier or free text, or holds things of several kinds.
    """
    import pandas as pd

    dtype = cells.dtype
    present = cells[cells.notna().to_numpy() & ~read.blank(cells)]
    if pd.api.types.is_complex_dtype(dtype):
        raise _no_kind(name, present)
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if isinstance(dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_numeric_dtype(dtype):
        return _number(read.floats(present, name))
    if pd.api.types.is_timedelta64_dtype(dtype):
        raise AEZooError(f"The column {name!r} holds durations: give them as numbers, such as .dt.total_seconds().")
    if not len(present):
        return "number"
    return _of_objects(present, name)


def _of_objects(present: "pd.Series[Any]", name: str) -> Kind:
    """Returns what a column of texts or other objects is."""
    import pandas as pd

    held = pd.api.types.infer_dtype(present, skipna=True)
    if held != "string" and set(map(type, present)) == {str}:  # of an Arrow dictionary, or sparse
        present, held = present.astype(object), "string"
    if held == "boolean":
        return "boolean"
    if held in ("datetime", "datetime64", "date", "period"):
        return "date"
    if held in ("integer", "floating", "decimal", "mixed-integer-float") or isinstance(
        present.iloc[0], decimal.Decimal
    ):
        return _number(read.floats(present, name))
    if held != "string":
        raise _no_kind(name, present)
    _check_text(present, name)
    few = present.iloc[:20].astype(str)
    if pd.to_numeric(few, errors="coerce").notna().all() and pd.to_numeric(present, errors="coerce").notna().all():
        if present.astype(str).str.match(r"[+-]?0\d").any():
            return "category"  # a number is not written with a zero in front, but codes are
        return _number(read.floats(present, name))
    if few.str.lower().isin(["true", "false"]).all() and present.astype(str).str.lower().isin(["true", "false"]).all():
        return "boolean"
    if (
        few.str.contains(r"\d{4}-\d\d").all()
        and pd.to_datetime(present, format="ISO8601", errors="coerce", utc=True).notna().all()
    ):
        return "date"
    different = present.nunique()
    if len(present) >= FEW and different > DIFFERENT * len(present):
        raise AEZooError(
            f"The column {name!r} holds {different:,} different texts in {len(present):,} rows, such as "
            f"{short(present.iloc[0])}: an identifier or free text, which tells a network nothing. Give {name}='ignore' to "
            f"leave it out, or {name}='category'."
        )
    return "category"


def _check_text(present: "pd.Series[Any]", name: str) -> None:
    """Raises `AEZooError` if a text is none in UTF-8, which pandas itself cannot convert."""
    import pandas as pd

    if present.dtype == object:
        read.texts(pd.Series(present.unique(), dtype=object), "category", name)


def _number(values: Array) -> Kind:
    if not np.isfinite(values).all():
        return "number"
    if (values == np.round(values)).all() and (np.abs(values) < 2.0**53).all():  # beyond, float64 has gaps
        return "boolean" if len(values) and set(np.unique(values)) == {0.0, 1.0} else "integer"
    return "number"


def _no_kind(name: str, present: "pd.Series[Any]") -> AEZooError:
    kinds = sorted({type(value).__name__ for value in present.iloc[:10_000]})
    return AEZooError(
        f"The column {name!r} holds values of type {' and '.join(kinds[:3])}, such as {short(present.iloc[0])}; a column "
        f"holds numbers, texts, booleans or dates. Give {name}='ignore'{_or_category(present, name)}."
    )


def _or_category(present: "pd.Series[Any]", name: str) -> str:
    single = all(isinstance(value, str | int | float | bool) for value in present.iloc[:10_000])
    return f", or {name}='category' to take each value as a text" if single else ""


def column(cells: "pd.Series[Any]", name: str, kind: Kind, rules: Rules) -> Column:
    """Returns a column of a known kind, with its statistics."""
    if kind in ("category", "boolean"):
        return _discrete(cells, name, kind, rules)
    zone, origin = None, 0.0
    if kind == "date":
        plain, zone = read.days(cells, name)
    else:
        plain = read.floats(cells, name)
    values = plain[~np.isnan(plain)]
    missing = 1 - len(values) / max(1, len(plain))
    if not len(values):
        return Column(name=name, kind=kind, missing=1.0, zone=zone)
    if kind == "integer" and np.abs(values).max() >= 2.0**53:
        raise AEZooError(f"The column {name!r} holds whole numbers beyond 2^53: give {name}='number' or 'category'.")
    if kind == "integer" and (values != np.round(values)).any():
        raise AEZooError(
            f"The column {name!r} is to hold whole numbers; it holds {values[values != np.round(values)][0]:g}."
        )
    limit = np.finfo("float32").max
    if values.max() - values.min() > limit or np.abs(values).max() > 2.0**1000:
        raise AEZooError(
            f"The column {name!r} must have a range within float32; received {values.max() - values.min():g}."
        )
    if kind == "date":  # a Monday, so that days of the week and hours begin at the origin
        origin = float(np.floor((np.median(values) + 3) / 7) * 7 - 3)
    elif _loses(values):
        origin = float(np.round(np.median(values)))
    numbers = (values - origin).astype("float32").astype("float64")
    center, scale = float(numbers.mean()), float(numbers.std())
    if rules.scaling == "robust":
        low, middle, high = np.quantile(numbers, (0.25, 0.5, 0.75))
        center, scale = float(middle), float((high - low) / 1.349) or scale  # 1.349: of a normal distribution
    constant = not scale > max(1e-12 * abs(center), float(np.finfo("float32").tiny))
    return Column(
        name=name,
        kind=kind,
        missing=missing,
        origin=origin,
        center=center,
        scale=1.0 if constant else scale,
        low=float(numbers.min()),
        high=float(numbers.min() if constant else numbers.max()),
        zone=zone,
        step=1.0 if kind == "date" and (values == np.round(values)).all() else 0.0,
        decimals=_decimals(values) if kind == "number" else 0.0,
    )


def _decimals(values: Array) -> float:
    """Returns how many decimals numbers have at most, from 1 to 6; 0 if they have more, or if all are whole."""
    if (values == np.round(values)).all():
        return 0.0
    for count in range(1, 7):
        if all((part == np.round(part, count)).all() for part in (values[:1000], values)):  # a few are soon looked at
            return float(count)
    return 0.0


def _loses(values: Array) -> bool:
    """Returns whether float32 loses more than a ten-thousandth of the range of numbers."""
    low, high = float(values.min()), float(values.max())
    return high > low and float(np.spacing(np.float32(max(abs(low), abs(high))))) > 1e-4 * (high - low)


def _discrete(cells: "pd.Series[Any]", name: str, kind: Kind, rules: Rules) -> Column:
    import pandas as pd

    plain = pd.Series(read.texts(cells, kind, name))
    counts = plain.value_counts()  # the most frequent first, equal ones as they come
    if kind == "boolean":
        levels: Any = ["False", "True"]
        kept = counts.reindex(levels, fill_value=0)
    else:
        kept = counts[counts >= min(rules.min_count, counts.max() if len(counts) else 1)].iloc[: rules.max_levels]
    rest = int(counts.sum() - kept.sum())
    if kind == "boolean" and rest:
        raise AEZooError(f"The column {name!r} is to hold booleans; {rest:,} of its cells are none.")
    return Column(
        name=name,
        kind=kind,
        missing=float(plain.isna().mean()) if len(plain) else 0.0,
        levels=tuple(kept.index),
        counts=(rest, *map(int, kept)),
    )
