"""What a column is, guessed from its cells by stated rules.

The rules, in this order, of the cells that are present:

1. booleans, the texts true and false, or whole numbers that are all 0 or 1: boolean;
2. dates, times and periods, or texts that are all ISO 8601 dates: date;
3. numbers, Decimal, and texts that are all numbers, none with a zero in front: integer if all are whole, number otherwise;
4. a categorical type, or other texts: category.

Texts in which more than half of the cells are different are an identifier or free text, of which a network can learn nothing:
they are refused, unless the caller says what they are. So are texts of more than `MOST_LEVELS` different ones.
"""

import collections
import datetime
import decimal
import numbers
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ae_zoo.errors import AEZooError, short
from ae_zoo.tables import cells as read
from ae_zoo.tables.columns import Kind
from ae_zoo.tables.statistics import MOST_LEVELS, Dates, Levels, Numbers
from ae_zoo.typing import Array

if TYPE_CHECKING:
    import pandas as pd

    from ae_zoo.tables.summary import Summary

FEW = 50  # cells; among fewer, differences do not tell an identifier from a category
MONTH = re.compile(r"\d{4}-\d\d")  # in the text of a date
DIFFERENT = 0.5  # share of different cells above which texts are an identifier or free text
# How many present cells have each form, and one of them. The forms are boolean, date, number, category (of pandas), numeral
# (a text that is a number), text, and the names of types of which a column cannot be.
Forms: TypeAlias = dict[str, tuple[int, Any]]
TYPES = {
    "boolean": (bool, np.bool_),
    "number": (numbers.Real, decimal.Decimal),
    "text": (str,),
    "date": (datetime.date, np.datetime64),
}


def forms_of(cells: "pd.Series[Any]", name: str) -> Forms:
    """Returns the forms of cells; numerals are texts yet. A type that allows one form alone has it without any cell, too."""
    import pandas as pd

    present = cells[cells.notna().to_numpy()]
    form = _form_of_type(cells.dtype, name)
    if form is not None:
        return {form: (len(present), present.iloc[0] if len(present) else None)}
    found: Forms = {}
    for kind, count in collections.Counter(map(type, present)).items():
        form = next((form for form, types in TYPES.items() if issubclass(kind, types)), kind.__name__)
        form = "date" if issubclass(kind, pd.Period) else form
        example = next(value for value in present if type(value) is kind)
        found[form] = (count + found.get(form, (0, None))[0], found.get(form, (0, example))[1])
    if len(found) > 1 and "text" in found and read.blank(cells).sum() == found["text"][0]:
        del found["text"]  # empty texts are missing cells
    return found


def _form_of_type(dtype: Any, name: str) -> str | None:
    """Returns the form that a type of pandas allows; None for one of objects."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if isinstance(dtype, pd.PeriodDtype) or pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_complex_dtype(dtype):
        return "complex"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_timedelta64_dtype(dtype):
        raise AEZooError(f"The column {name!r} holds durations: give them as numbers, such as .dt.total_seconds().")
    return "text" if isinstance(dtype, pd.StringDtype) else None


def of_texts(cells: "pd.Series[Any]", name: str) -> tuple[Forms, Numbers | None, Dates | None, Levels]:
    """Returns the forms of texts, and their statistics as numbers, as dates and as levels; None where some are none.

    Raises:
        AEZooError: a text is an infinite number, or not legal in UTF-8.
    """
    counts = read.counts(cells, name)
    words = [word for word in counts if word.strip()]
    repeats = np.array([counts[word] for word in words], "int64")
    values = list(map(read.numeral, words))
    places = {
        "numeral": [place for place, value in enumerate(values) if value is not None],
        "text": [place for place, value in enumerate(values) if value is None],
    }
    forms: Forms = {form: (int(repeats[those].sum()), words[those[0]]) for form, those in places.items() if those}
    found = None
    if "text" not in forms:
        plain = np.array(values, "float64")
        if np.isinf(plain).any():
            raise AEZooError(
                f"The column {name!r} must hold finite numbers; it holds {short(words[int(np.isinf(plain).argmax())])}."
            )
        found = Numbers.of(np.repeat(plain, repeats))
    return forms, found, None if "numeral" in forms else _dates(words, repeats, name), Levels(counts).bounded()


def _dates(words: list[str], repeats: Array, name: str) -> Dates | None:
    """Returns the statistics of texts of dates; None if one is no date."""
    import pandas as pd

    if not all(map(MONTH.search, words)):
        return None
    texts = pd.Series(words, dtype=object)
    if pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).isna().any():
        return None
    days, zone = read.days(texts, name)
    return Dates.of(np.repeat(days, repeats), zone)


def kind_of(summary: "Summary") -> Kind:
    """Returns what the column of these cells is, by the rules above.

    Raises:
        AEZooError: it is an identifier or free text, or holds things of several kinds.
    """
    forms, levels = summary.forms, summary.levels
    held = {form for form, (count, _) in forms.items() if count} or set(forms)
    if summary.numbers is not None and held <= {"number", "numeral"}:
        return summary.numbers.kind
    if held == {"boolean"}:
        return "boolean"
    if summary.dates is not None and held <= {"date", "text"}:
        return "date"
    if "category" in held and held <= {"category", "text", "numeral"}:
        return "category"
    if levels is None or not held <= {"text", "numeral"}:
        raise _no_kind(forms, summary.name)
    if levels.counts is not None and all(word.lower() in ("true", "false") for word in levels.counts if word.strip()):
        return "boolean"
    _check_levels(forms, levels, summary.name)
    return "category"


def _check_levels(forms: Forms, levels: Levels, name: str) -> None:
    """Raises `AEZooError` if texts are an identifier or free text."""
    total = sum(count for count, _ in forms.values())
    different = MOST_LEVELS + 1 if levels.counts is None else len(levels.counts)
    few = different <= MOST_LEVELS
    if few and (total < FEW or different <= DIFFERENT * total):
        return
    count, example = forms["text"]
    remedy = f"ive {name}='ignore' to leave it out" + (f", or {name}='category'" if few else "")
    if count < DIFFERENT * total:
        raise AEZooError(
            f"The column {name!r} holds numbers, but {count:,} of its {total:,} texts are none, such as {short(example)}: "
            f"correct them, or g{remedy}."
        )
    raise AEZooError(
        f"The column {name!r} holds {'' if few else 'more than '}{min(different, MOST_LEVELS):,} different texts in "
        f"{total:,} rows, such as {short(example)}: an identifier or free text, which tells a network nothing. G{remedy}."
    )


def _no_kind(forms: Forms, name: str) -> AEZooError:
    examples = [example for count, example in sorted(forms.values(), key=lambda form: form[0]) if count]
    kinds = sorted({type(example).__name__ for example in examples})
    single = all(isinstance(example, str | numbers.Real) for example in examples)
    return AEZooError(
        f"The column {name!r} holds values of type {' and '.join(kinds[:3])}, such as {short(examples[0])}; a column holds "
        f"numbers, texts, booleans or dates. Give {name}='ignore'"
        + (f", or {name}='category' to take each value as a text." if single else ".")
    )
