"""A bare file of paths: `path` (touches joined by " > "), total_conversions, and where known values and nulls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jobs.measure.attribution.paths import Floats, Paths
from jobs.runtime.errors import DataRefused, UsageError

ARROW = " > "
PATH, COUNT, VALUE, NULL = "path", "total_conversions", "total_conversion_value", "total_null"
NEEDED = (PATH, COUNT)


def read_path_file(file: Path) -> Paths:
    """The paths of a .csv, .csv.gz or .parquet file.

    UsageError when there is no such file; DataRefused, naming file, rows and column, when it is not such a table.
    """
    table = _table(file)
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise DataRefused(
            f"{file}: column {', '.join(missing)} is missing; a path file has {', '.join((*NEEDED, VALUE, NULL))}, "
            "the last two if known"
        )
    names, codes, starts = _touches(table[PATH])
    counts = {name: _counts(file, table, name) for name in (COUNT, VALUE, NULL)}
    return Paths(names, codes, starts, counts[COUNT], counts[VALUE], counts[NULL])


def _table(file: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv, parquet

    if not file.is_file():
        raise UsageError(f"{file} is not a file; name the file of paths with --paths FILE")
    try:
        if file.suffix == ".parquet":
            return parquet.read_table(file)
        return csv.read_csv(file, convert_options=csv.ConvertOptions(column_types={PATH: pa.string()}))
    except pa.ArrowInvalid as error:
        raise DataRefused(f"{file}: {str(error).splitlines()[0][:200]}; write it as CSV with a header line") from error


def _touches(column: Any) -> tuple[tuple[str, ...], Any, Any]:
    """Channel names, the code of each touch, and where each path starts."""
    import pyarrow as pa
    from pyarrow import compute

    texts = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    lists = compute.split_pattern(compute.fill_null(texts.cast(pa.string()), ""), ARROW.strip())
    touched = compute.utf8_trim_whitespace(lists.flatten())
    owners = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
    is_touch = compute.not_equal(touched, "").to_numpy(zero_copy_only=False)
    coded = touched.filter(pa.array(is_touch)).dictionary_encode()
    found = coded.dictionary.to_pylist()
    order = sorted(range(len(found)), key=found.__getitem__)
    rank = np.empty(len(found), dtype=np.int64)
    rank[order] = np.arange(len(found))
    codes = rank[coded.indices.to_numpy()]
    lengths = np.bincount(owners[is_touch], minlength=len(lists))
    return tuple(found[i] for i in order), codes, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _counts(file: Path, table: Any, name: str) -> Floats:
    import pyarrow as pa

    rows = table.num_rows
    if name not in table.column_names:
        return np.zeros(rows)
    try:
        told = table[name].cast(pa.float64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataRefused(f"{file}: column {name} is not a number in all of {rows:,} rows; mend those rows") from error
    told = np.nan_to_num(told.astype(np.float64), nan=0.0)
    wrong = ~np.isfinite(told) | ((told < 0) | (told % 1 != 0) if name != VALUE else np.zeros(rows, dtype=bool))
    if wrong.any():
        raise DataRefused(
            f"{file}: column {name} is no count in {int(wrong.sum()):,} of {rows:,} rows; write whole numbers from 0"
        )
    return np.asarray(told)
