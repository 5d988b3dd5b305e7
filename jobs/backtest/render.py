"""A backtest report as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.backtest.report import METRICS, BacktestReport, Block, Cell, ModelFigures
from jobs.model.learners.metrics import Interval

MIN_CHANNEL_ROWS = 200  # smaller channels are in the JSON, not in the printed table


def render(report: BacktestReport) -> str:
    """Models with intervals, paired differences, drift by block, the table by channel and band, and the notes."""
    hits = report.models[0].positives
    parts = [
        f"Trained on {report.trained_rows:,} rows until {report.trained_until}, "
        f"judged on {report.models[0].rows:,} rows ({hits:,} {report.word}) "
        f"from {report.judged_from} to {report.judged_until}, {report.mode}.",
        f"product = {report.chosen}, chosen inside the training period. Intervals are 95 %.",
    ]
    if report.blocks:
        parts.append(
            "Every figure is the mean over blocks of the figure within a block; pooled AUC rewards knowing the date."
        )
    parts += ["", *_models(report.models, bool(report.blocks)), "", *_models(report.differences, False)]
    if report.blocks:
        parts += ["", *_drift(report.blocks)]
    parts += ["", *_cells(report), "", *(f"note: {note}" for note in report.notes)]
    parts += [f"refused column {name} ({why})" for name, why in report.refused_columns.items()]
    parts += [f"refused rows, {reason}: {count}" for reason, count in report.refused_rows.items()]
    return "\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a text table: the first column to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    return [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in [head, *rows]
    ]


def _models(models: Sequence[ModelFigures], has_pooled: bool) -> list[str]:
    head = ["model", *METRICS, *(["pooled auc"] if has_pooled else [])]
    rows = []
    for model in models:
        pooled = [f"{model.pooled_auc:.3f}"] if has_pooled and model.pooled_auc is not None else []
        rows.append([model.model, *(figure(model.figures[m]) for m in METRICS), *pooled])
    return table(head, rows)


def figure(it: Interval, digits: int = 3) -> str:
    """An estimate and its interval; what rounds to nothing has no sign."""
    value, lo, hi = (f"{round(number, digits) + 0.0:.{digits}f}" for number in (it.value, it.lo, it.hi))
    return f"{value} [{lo}, {hi}]"


def _drift(blocks: Sequence[Block]) -> list[str]:
    names = list(blocks[0].auc)
    head = ["block", "from", "to", "rows", "rate", "rate before", *(f"auc {n}" for n in names)]
    head += ["psi score", "psi input", "by", "psi by chance"]
    rows = [
        [
            str(b.block),
            str(b.first_day),
            str(b.last_day),
            str(b.rows),
            f"{b.base_rate:.3f}",
            f"{b.base_rate_before:.3f}",
            *(f"{b.auc[n]:.3f}" for n in names),
            "-" if b.psi_score is None else f"{b.psi_score:.2f}",
            f"{b.psi_input:.2f}",
            b.psi_input_name,
            f"{b.psi_null:.3f}",
        ]
        for b in blocks
    ]
    return table(head, rows)


def _cells(report: BacktestReport) -> list[str]:
    assumed = "assumed " if report.is_cost_assumed else ""
    head = ["channel", "band", "rows", report.word, "rate", "95 %", f"cost per, {assumed}{report.currency}"]
    shown = {c.channel for c in report.cells if c.band == "(all)" and c.rows >= MIN_CHANNEL_ROWS}
    rows = [_cell_line(c) for c in report.cells if c.channel in shown]
    hidden = len({c.channel for c in report.cells}) - len(shown)
    tail = (
        [f"{hidden} channels of fewer than {MIN_CHANNEL_ROWS} rows are in the total and in the JSON only."]
        if hidden
        else []
    )
    return [*table(head, rows), *tail]


def _cell_line(cell: Cell) -> list[str]:
    cost = "none" if cell.cost_per_positive is None else f"{cell.cost_per_positive:,.2f}"
    share = f"[{cell.rate_lo:.2%}, {cell.rate_hi:.2%}]"
    return [cell.channel, cell.band, f"{cell.rows:,}", f"{cell.positives:,}", f"{cell.rate:.2%}", share, cost]
