"""The run log: one line a step, appended, never rewritten; times live here and nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class RunLog:
    """WAREHOUSE/runs/log.jsonl: what was staged, published, skipped and refused, when, by which run."""

    def __init__(self, root: Path) -> None:
        self.path = root / "runs" / "log.jsonl"

    def write(self, event: str, **fields: Any) -> None:
        """Append one event; a line is one write, so that runs side by side do not mix."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"at": datetime.now(UTC).isoformat(), "event": event, **fields}, sort_keys=True, default=str)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, (line + "\n").encode())
        finally:
            os.close(descriptor)

    def read(self) -> Iterator[dict[str, Any]]:
        """Every whole line, oldest first; a line cut by a crash is passed over."""
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8") as handle:
            for line in handle:
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    continue
