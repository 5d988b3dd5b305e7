"""People put on their arm by name, where everybody else goes where prices say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jobs.activate.allocation.program import Ints

ELSEWHERE = -2  # not among the placed


@dataclass(frozen=True)
class Placed:
    """Keys and the arm of each (NOBODY: off every list)."""

    keys: NDArray[np.object_]
    arm: Ints

    def of(self, keys: Any) -> Ints:
        """The arm of each of a pyarrow array of keys; ELSEWHERE for who is not placed."""
        found = pc.fill_null(pc.index_in(keys, pa.array(self.keys, type=pa.string())), -1)
        place = found.to_numpy(zero_copy_only=False).astype(np.int64)
        return np.asarray(np.append(self.arm, ELSEWHERE)[place], dtype=np.int64)
