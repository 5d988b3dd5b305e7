"""Prospects x channels scored into bands by Spark, beside the same model in one Python process on the same file."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storms"))
import chain
from pyspark.sql import functions as F

from jobs.market.conf import read_market_conf
from jobs.market.history import new_market
from jobs.model.person_features import APPLIED_BEFORE, MOST_BEFORE, served_features
from jobs.model.serving.arrow import score_batch
from jobs.model.serving.load import load_cuts, load_funnel
from jobs.model.serving.native import is_native
from jobs.model.serving.prices import prices
from jobs.model.serving.scorer import MEASURES, Scorer
from jobs.model.serving.scoring import score_table
from jobs.registry import jobs
from jobs.runtime.conf import Conf, load_conf
from jobs.runtime.keys import load_keys
from jobs.runtime.runner import plan, run
from jobs.runtime.session import spark_session
from jobs.runtime.shell import Shell
from jobs.tables.ingest import FX_RATES, PROSPECTS, SPEND
from jobs.tables.link import ASSIGNMENT_OUTCOMES, LINKED_TOUCHES
from jobs.tables.model import BAND_CUTS, STAGE_MODELS

DAY = date(2026, 5, 31)
LEARNERS = ("boosted", "logistic", "scorecard")
BATCH = 10_000  # rows a batch, of Spark as of the one process
Row = dict[str, Any]


def add(options: argparse.ArgumentParser) -> None:
    """The options of `scoring`."""
    options.add_argument("--people", type=int, default=1_000_000, help="prospects to score")
    options.add_argument("--trained-on", type=int, default=20_000, help="people of the market the models learn from")
    options.add_argument("--learners", default=",".join(LEARNERS))
    options.add_argument("--repeats", type=int, default=2, help="of each timing, in turns; the fastest counts")


def run_scoring(asked: argparse.Namespace) -> list[Row]:
    """Rows of learner, way (spark or python), rows a second, and Spark's ratio to Python."""
    folder = asked.folder.resolve() / "scoring"
    conf = load_conf(chain.ROOT / "conf")
    spark = spark_session(conf.base.spark, folder / "scratch")
    try:
        big = _shell(folder, asked.people, conf, spark, months=2)
        for _ in run(big, plan([DAY], ["ingest_prospects"])):
            pass
        place = folder / "people"
        shutil.rmtree(place, ignore_errors=True)
        before = F.pmod(F.xxhash64("prospect_key"), F.lit(MOST_BEFORE + 1)).cast("double").alias(APPLIED_BEFORE)
        big.read(PROSPECTS, "latest", DAY).select("*", before).write.parquet(str(place))
        prospects, files = spark.read.parquet(str(place)), sorted(str(file) for file in place.glob("*.parquet"))
        small, found = _shell(folder, asked.trained_on, conf, spark), []
        early = [name for name, job in jobs().items() if job.stage in ("ingest", "link")]
        for _ in run(small, plan([DAY], early)):
            pass
        for learner in asked.learners.split(","):
            chosen = _choose(conf, learner)
            scorer = _trained(Shell(small.store.root, small.landing.root, chosen, small.keys, spark), chosen)
            found += _measured(learner, scorer, prospects, files, folder / "out", spark, asked.repeats)
        return found
    finally:
        spark.stop()


def show(found: list[Row]) -> None:
    """Print the table."""
    print("learner      by                      rows / s   ratio   largest difference")
    for row in found:
        print(
            f"{row['learner']:<12} {row['by']:<20}{row['rows_a_second']:>12,}  ×{row['ratio']:<6.2f} {row['gap']:.1e}"
        )


def _shell(folder: Path, people: int, conf: Conf, spark: Any, **changes: int) -> Shell:
    place = folder / str(people)
    market = read_market_conf(chain.ROOT / "conf" / "market.yaml", people=people, **changes)
    new_market(market, place / "landing", place / "truth", lambda line: None)
    return Shell(place / "warehouse", place / "landing", conf, load_keys(place / "warehouse"), spark)


def _choose(conf: Conf, learner: str) -> Conf:
    training = {**conf.base.training.model_dump(), "learner": learner, "default_learner": learner, "compare": ()}
    base = conf.base.model_copy(update={"training": type(conf.base.training)(**training)})
    return conf.model_copy(update={"base": base})


def _trained(shell: Shell, conf: Conf) -> Scorer:
    """The scorer of a market's own models, as the job `scores` makes it."""
    for _ in run(shell, plan([DAY], ["feature_units", "stage_models", "band_cuts"])):
        pass
    told = (SPEND, FX_RATES, LINKED_TOUCHES, ASSIGNMENT_OUTCOMES)
    spend, rates, touches, assignments = (
        shell.read(t, "in_force" if t in (SPEND, FX_RATES) else "day", DAY) for t in told
    )
    return Scorer(
        funnel=load_funnel(shell.read(STAGE_MODELS, "day", DAY), shell),
        features=served_features(conf),
        channels=tuple(sorted(conf.channels)),
        prices=prices(spend, rates, touches, assignments, DAY, conf, shell),
        value_of_good=float(conf.base.plan.value_of_good),
        cuts=load_cuts(shell.read(BAND_CUTS, "day", DAY), shell),
    )


def _measured(
    learner: str, scorer: Scorer, prospects: Any, files: list[str], out: Path, spark: Any, repeats: int
) -> list[Row]:
    seconds: dict[str, list[float]] = {"spark": [], "python": []}
    for _ in range(repeats):
        shutil.rmtree(out, ignore_errors=True)
        started = time.perf_counter()
        score_table(prospects, scorer).write.parquet(str(out / "spark"))
        seconds["spark"].append(time.perf_counter() - started)
        started = time.perf_counter()
        rows = _in_one_process(scorer, files, out / "python.parquet")
        seconds["python"].append(time.perf_counter() - started)
    gap = _largest_gap(spark, out)
    way = "spark, native" if is_native(scorer.funnel) else "spark, arrow"
    fastest = {name: min(took) for name, took in seconds.items()}
    return [
        {
            "learner": learner,
            "by": by,
            "rows": rows,
            "seconds": round(fastest[name], 2),
            "rows_a_second": round(rows / fastest[name]),
            "ratio": round(fastest["python"] / fastest[name], 3),
            "gap": gap if name == "spark" else 0.0,
        }
        for name, by in (("python", "one python process"), ("spark", way))
    ]


def _in_one_process(scorer: Scorer, files: list[str], out: Path) -> int:
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    rows, writer = 0, None
    columns = ["prospect_key", *scorer.features.names]
    for batch in ds.dataset(files, format="parquet").to_batches(batch_size=BATCH, columns=columns):
        scored = score_batch(scorer, batch)
        writer = writer or pq.ParquetWriter(str(out), scored.schema)
        writer.write_batch(scored)
        rows += scored.num_rows
    if writer is not None:
        writer.close()
    return rows


def _largest_gap(spark: Any, out: Path) -> float:
    """The largest difference of any measure among one person in fifty; infinite when a band differs or a row lacks."""
    from pyspark.sql import functions as F

    one, other = (
        spark.read.parquet(str(out / name)).where("pmod(xxhash64(prospect_key), 50) = 0")
        for name in ("spark", "python.parquet")
    )
    keys = ["prospect_key", "channel"]
    renamed = other.select(*keys, *[F.col(n).alias(f"{n}_2") for n in (*MEASURES, "band")])
    gaps = [F.abs(F.col(n) - F.col(f"{n}_2")) for n in MEASURES]
    both = one.join(renamed, keys, "full").select(
        F.when(F.col("band") == F.col("band_2"), F.greatest(*gaps)).otherwise(F.lit(float("inf"))).alias("gap")
    )
    return float(both.agg(F.max("gap")).first()[0])
