"""A cost per customer at a fixed mix of bands, so that who was bought does not pass for how dear they were."""

from __future__ import annotations

from collections.abc import Mapping

Cells = Mapping[str, tuple[float, float]]  # band: spend, customers


def pooled_mix(channels: Mapping[str, Cells]) -> dict[str, float]:
    """Shares of each band in the customers of all channels together; empty when there are none."""
    counts: dict[str, float] = {}
    for cells in channels.values():
        for band, (_, customers) in cells.items():
            counts[band] = counts.get(band, 0.0) + customers
    total = sum(counts.values())
    return {band: count / total for band, count in sorted(counts.items()) if count} if total else {}


def standardised(cells: Cells, mix: Mapping[str, float]) -> tuple[float | None, tuple[str, ...]]:
    """(cost per customer at `mix`, bands that forbid it): None where a band of the mix has no customer."""
    missing = tuple(band for band in mix if band not in cells or not cells[band][1])
    if missing or not mix:
        return None, missing
    return sum(share * cells[band][0] / cells[band][1] for band, share in mix.items()), ()
