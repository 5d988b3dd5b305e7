"""People as the allocation sees them: one narrow row each, whole numbers a channel, four numbers of luck."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jobs.activate.allocation.board import Board
from jobs.activate.allocation.partners import Partners
from jobs.activate.allocation.program import Floats, Ints, People

LUCK = ("role", "pick", "keep", "mix")
KIND = "kind"


@dataclass(frozen=True)
class Layout:
    """Which columns a people frame has: `prospect_key`, the luck, then each quantity of each channel by place.

    A null cost means that the pair is shut; `closed` channels are shut to everybody. `has_kind`: the class by which
    partners differ comes last; where they do not differ enough, `partners` tell them apart.
    """

    channels: tuple[str, ...]
    quantities: tuple[str, ...]
    closed: frozenset[str] = field(default_factory=frozenset)
    has_kind: bool = False
    partners: Partners | None = field(default=None, compare=False)

    def column(self, quantity: str, place: int) -> str:
        """Name of the column of one quantity on the channel at a place."""
        return f"{quantity}_{place}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of a people frame, in order."""
        places = range(len(self.channels))
        amounts = (self.column(q, k) for q in self.quantities for k in places)
        return ("prospect_key", *LUCK, *amounts, *((KIND,) if self.has_kind else ()))

    def people(self, columns: dict[str, Any]) -> tuple[People, dict[str, Floats]]:
        """A batch and its luck from columns as pyarrow or pandas hands them over (null is null or NaN)."""
        costs = [_whole(columns[self.column("cost", k)]) for k in range(len(self.channels))]
        rows = len(costs[0][0]) if costs else 0
        may = np.zeros((rows, len(self.channels)), dtype=np.bool_)
        amounts = {}
        for name in self.quantities:
            amounts[name] = np.zeros((rows, len(self.channels)), dtype=np.int64)
            for k in range(len(self.channels)):
                amounts[name][:, k], known = _whole(columns[self.column(name, k)])
                if name == "cost":
                    may[:, k] = known & (self.channels[k] not in self.closed)
        luck = {name: np.asarray(columns[name], dtype=np.float64) for name in LUCK}
        kind = _whole(columns[KIND])[0] if self.has_kind else None
        if kind is not None and self.partners is not None:
            kind = self.partners.kinds(kind, luck["mix"])
        return People(may, amounts, kind), luck

    def board(self, columns: dict[str, Any]) -> Board:
        """The same with keys, from columns as pandas hands them over."""
        return Board(np.asarray(columns["prospect_key"], dtype=object), *self.people(columns))


def _whole(column: Any) -> tuple[Ints, Any]:
    """Whole numbers with zero for null, and which were there."""
    if hasattr(column, "fill_null"):
        known = column.is_valid().to_numpy(zero_copy_only=False)
        return column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), known
    known = column.notna().to_numpy()
    return column.fillna(0).to_numpy().astype(np.int64), known
