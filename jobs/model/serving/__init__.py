"""From fitted models to scores: the funnel a person and channel, what a channel charges, Arrow batches."""

from __future__ import annotations
