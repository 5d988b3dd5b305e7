"""What attribution says over what an experiment says: the factor that turns one into the other."""

from __future__ import annotations

from dataclasses import dataclass

from segments.intervals import poisson


@dataclass(frozen=True)
class Calibration:
    """`factor`: incremental over attributed outcomes, with 95 % bounds; None where nothing was attributed."""

    factor: float | None
    lo: float | None
    hi: float | None


def calibration(incremental: tuple[float, float, float], attributed: float) -> Calibration:
    """The factor of `incremental` outcomes (estimate, lo, hi) over an `attributed` count of the same people.

    Its bounds put each interval's end over the other's other end (Bonferroni would ask a little more; both ends at
    once are already rarer than either). Multiply attributed outcomes by it, or divide attributed costs.
    """
    estimate, low, high = incremental
    if attributed <= 0:
        return Calibration(None, None, None)
    least, most = poisson(attributed)
    bounds = (
        low / (most if low > 0 else least) if least or low > 0 else None,
        high / (least if high > 0 else most) if least or high <= 0 else None,
    )
    return Calibration(estimate / attributed, *bounds)
