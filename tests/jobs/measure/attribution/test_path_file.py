"""A bare file of paths is read whole or refused with one sentence."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.measure.attribution.path_file import read_path_file
from jobs.runtime.errors import DataRefused, UsageError

ROWS = {"path": ["b > a > b", "a", ""], "total_conversions": [2, 1, 3], "total_null": [5, 0, 1]}


def written(folder: Path, rows: dict[str, Any], name: str = "paths.csv") -> Path:
    file, frame = folder / name, pd.DataFrame(rows)
    if name.endswith(".parquet"):
        frame.to_parquet(file)
    elif name.endswith(".gz"):
        file.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    else:
        file.write_text(frame.to_csv(index=False), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["paths.csv", "paths.csv.gz", "paths.parquet"])
def test_every_form_reads_alike(tmp_path: Path, name: str) -> None:
    paths = read_path_file(written(tmp_path, ROWS, name))
    assert paths.channels == ("a", "b")
    assert paths.codes.tolist() == [1, 0, 1, 0]
    assert paths.starts.tolist() == [0, 3, 4, 4]
    assert paths.conversions.tolist() == [2, 1, 3]
    assert paths.nulls.tolist() == [5, 0, 1]
    assert paths.values.tolist() == [0, 0, 0]


def test_bad_files_say_which_column_and_how_many_rows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        read_path_file(tmp_path / "nothing.csv")
    with pytest.raises(DataRefused, match="column total_conversions is missing"):
        read_path_file(written(tmp_path, {"path": ["a"]}))
    with pytest.raises(DataRefused, match="total_conversions is no count in 2 of 3 rows"):
        read_path_file(written(tmp_path, ROWS | {"total_conversions": [-1, 0.5, 2]}))
    with pytest.raises(DataRefused, match="total_null is not a number"):
        read_path_file(written(tmp_path, ROWS | {"total_null": ["x", "1", "2"]}))
    torn = tmp_path / "torn.csv"
    torn.write_text("path,total_conversions\na,1\nb\n", encoding="utf-8")
    with pytest.raises(DataRefused, match=r"torn\.csv"):
        read_path_file(torn)


def test_the_command_prints_credits_by_channel(tmp_path: Path) -> None:
    file = str(written(tmp_path, ROWS))
    said = CliRunner().invoke(app, ["attribute", "--paths", file, "--model", "markov", "--order", "2", "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert told["base_conversion"] == pytest.approx(3 / 8)
    assert set(told["credits"]) == {"a", "b", "(unattributed)"}
    assert set(told["credits"]["a"]) == {"conversions", "value", "removal_effect"}
    assert told["credits"]["(unattributed)"]["conversions"] == 3
    assert "conversions a journey" in CliRunner().invoke(app, ["attribute", "--paths", file]).stdout
