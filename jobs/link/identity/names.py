"""People of two files who share no key, matched by name, birth date, address and phone (Fellegi-Sunter, by splink)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.runtime.errors import DataRefused, UsageError
from jobs.runtime.store import write_whole

if TYPE_CHECKING:
    import pandas as pd

ID = "id"
FIELDS = ("name", "birth_date", "address", "phone")
FEWEST_FIELDS = 3  # with fewer no two people can be told apart
PAIRS = 2e6  # drawn at random, to learn how often strangers agree
SEED = 1


@dataclass(frozen=True)
class Matched:
    """How many rows each file had, how many were matched one to one, by which columns."""

    ours: int
    theirs: int
    matched: int
    fields: tuple[str, ...]


def match_names(ours: Path, theirs: Path, out: Path, threshold: float = 0.95) -> Matched:
    """Write `their_id, our_id, probability` of rows that are one person with at least that probability.

    Files are CSV or Parquet with `id` and three of FIELDS at least. A row is matched to at most one, each the best of
    the other. Nothing but ids is written. Raises UsageError without splink, DataRefused on a file that lacks columns.
    """
    left, right = _read(ours), _read(theirs)
    fields = tuple(name for name in FIELDS if name in left and name in right)
    if len(fields) < FEWEST_FIELDS:
        raise DataRefused(
            f"{ours} and {theirs} share {', '.join(fields) or 'no column'}; "
            f"{FEWEST_FIELDS} of {', '.join(FIELDS)} are needed in both"
        )
    found = _mutual(_scored(left, right, fields, threshold))
    write_whole(out, found.to_csv(index=False, float_format="%.6f"))
    return Matched(len(left), len(right), len(found), fields)


def _read(file: Path) -> pd.DataFrame:
    """Rows as lower-case text, empty ones null."""
    import pandas as pd

    if not file.is_file():
        raise UsageError(f"{file} is not a file; name a CSV or Parquet file")
    rows = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, dtype=str, keep_default_na=False)
    if ID not in rows:
        raise DataRefused(f"{file}: column {ID} is missing in {len(rows):,} rows; name each row by one")
    if rows[ID].duplicated().any() or rows[ID].isna().any():
        raise DataRefused(f"{file}: column {ID} is empty or twice in some of {len(rows):,} rows; name each row by one")
    kept = rows[[ID, *[name for name in FIELDS if name in rows]]]
    text = kept[[name for name in kept if name != ID]].astype("string")
    clean = text.apply(lambda one: one.str.strip().str.lower().str.replace(r"\s+", " ", regex=True))
    told: pd.DataFrame = clean.where(clean != "", None)
    told[ID] = kept[ID].astype("string")
    return told


def _scored(left: pd.DataFrame, right: pd.DataFrame, fields: tuple[str, ...], threshold: float) -> pd.DataFrame:
    """Pairs with their probability."""
    try:
        import duckdb
        from splink import Linker, SettingsCreator, block_on
        from splink.backends.duckdb import DuckDBAPI
    except ImportError as error:
        raise UsageError("matching names needs splink; install it with `pip install 'huoke[names]'`") from error
    blocks: list[Any] = [block_on(name) for name in fields if name != "address"]
    if "address" in fields:
        blocks.append(block_on("substr(name, 1, 2)", "address"))
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name=ID,
        comparisons=[_comparison(name) for name in fields],
        blocking_rules_to_generate_predictions=blocks,
        retain_matching_columns=False,
    )
    api = DuckDBAPI(connection=duckdb.connect())
    tables = [api.register(rows, dataset_display_name=name) for rows, name in ((left, "ours"), (right, "theirs"))]
    linker = Linker(tables, settings, log_level=None)
    sure: list[Any] = [block_on(one, other) for i, one in enumerate(fields) for other in fields[i + 1 :]]
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=PAIRS, seed=SEED)
    for block in blocks[:2]:  # each learns what it does not block on
        linker.training.estimate_parameters_using_expectation_maximisation(block)
    scored: Any = linker.inference.predict(threshold_match_probability=threshold)
    pairs: pd.DataFrame = scored.as_pandas_dataframe()
    sides = {"ours": "our_id", "theirs": "their_id"}
    is_turned = pairs["source_dataset_l"] == "theirs"
    told = pairs[["id_l", "id_r"]].set_axis([sides["ours"], sides["theirs"]], axis=1)
    told.loc[is_turned] = pairs.loc[is_turned, ["id_r", "id_l"]].to_numpy()
    told["probability"] = pairs["match_probability"]
    return told


def _comparison(field: str) -> Any:
    from splink import comparison_library as known

    if field == "name":
        return known.NameComparison("name")
    if field == "birth_date":
        return known.DateOfBirthComparison("birth_date", input_is_string=True)
    if field == "phone":
        return known.LevenshteinAtThresholds("phone", [1, 2])
    return known.JaroWinklerAtThresholds("address", [0.95, 0.88])


def _mutual(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of which each is the other's best, ties left out."""
    told = pairs[["their_id", "our_id", "probability"]].sort_values(["their_id", "our_id"], ignore_index=True)
    is_best = [
        (told["probability"] == told.groupby(side)["probability"].transform("max"))
        & (told.groupby([side, "probability"])["probability"].transform("size") == 1)
        for side in ("their_id", "our_id")
    ]
    return told[is_best[0] & is_best[1]].reset_index(drop=True)
