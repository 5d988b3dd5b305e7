"""Which creative for whom: prospects as sets of named features, LightFM embeddings, scores by numpy alone."""

from __future__ import annotations
