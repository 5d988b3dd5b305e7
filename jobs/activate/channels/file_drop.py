"""The file drop: an audience as hashed CSV files with a manifest and a receipt, on any fsspec URL (local, sftp, s3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import fsspec

from jobs.runtime.errors import TryAgain
from jobs.runtime.memberships import Batch

FORMAT = "huoke-file-drop-1"


class FileDrop:
    """Writes under `url`: `day=…/<batch>-<operation>-<audience>` `.csv`, then `.manifest.json`, then `.receipt.json`.

    A batch counts from the moment its manifest stands; batches apply in the order of their numbers. Every file is
    written beside and moved into place. The receipt is made from what was read back.
    """

    def __init__(self, url: str, kinds: Sequence[str]) -> None:
        self.fs, self.root = fsspec.core.url_to_fs(url)
        self.kinds = tuple(kinds)

    def hand_over(self, batch: Batch, rows: Sequence[Mapping[str, str]]) -> str:
        """Write the batch, read it back, and return the SHA-256 of its file as the receipt."""
        content = self.content(rows)
        digest = hashlib.sha256(content).hexdigest()
        stem = f"{self.root}/day={batch.day}/{batch.batch:08d}-{batch.operation}-{batch.audience}"
        manifest = {
            "format": FORMAT,
            "batch": batch.batch,
            "day": batch.day.isoformat(),
            "channel": batch.channel,
            "audience": batch.audience,
            "operation": batch.operation,
            "identifiers": [f"{kind}_sha256" for kind in self.kinds],
            "rows": len(rows),
            "sha256": digest,
        }
        try:
            self.fs.makedirs(f"{self.root}/day={batch.day}", exist_ok=True)
            if self._read(f"{stem}.manifest.json") != _json(manifest) or self._read(f"{stem}.csv") != content:
                self._write(f"{stem}.csv", content)
                self._write(f"{stem}.manifest.json", _json(manifest))
            taken = hashlib.sha256(self._read(f"{stem}.csv") or b"").hexdigest()
            if taken == digest:
                self._write(f"{stem}.receipt.json", _json({"batch": batch.batch, "rows": len(rows), "sha256": taken}))
        except OSError as error:
            raise TryAgain(
                f"channel {batch.channel}, audience {batch.audience}, batch {batch.batch}: the file drop could not be "
                f"written ({type(error).__name__}); check that its target can be reached and has room, then run again"
            ) from error
        if taken != digest:
            raise TryAgain(
                f"channel {batch.channel}, audience {batch.audience}, batch {batch.batch}: what was read back differs "
                "from what was written; check the target, then run the same command again"
            )
        return digest

    def content(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        """The CSV of a batch: a header, then a line a person, sorted, so that the same people give the same bytes."""
        lines = sorted(",".join(row.get(kind, "") for kind in self.kinds) for row in rows)
        return "\n".join([",".join(f"{kind}_sha256" for kind in self.kinds), *lines, ""]).encode()

    def _read(self, path: str) -> bytes | None:
        try:
            content: bytes = self.fs.cat_file(path)
        except FileNotFoundError:
            return None
        return content

    def _write(self, path: str, content: bytes) -> None:
        if self._read(path) == content:
            return
        self.fs.pipe_file(f"{path}.part", content)
        self.fs.mv(f"{path}.part", path)


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, sort_keys=True, indent=1) + "\n").encode()
