"""The pages in their order, by the key of their name."""

from __future__ import annotations

from collections.abc import Callable

from dashboards.nodes import Node
from dashboards.pages.bands import bands
from dashboards.pages.channels import channels
from dashboards.pages.context import Context
from dashboards.pages.credit import credit
from dashboards.pages.dictionary import dictionary
from dashboards.pages.loans import loans
from dashboards.pages.models import models
from dashboards.pages.overview import overview
from dashboards.pages.plan import plan

PAGES: dict[str, Callable[[Context], Node]] = {
    "overview": overview,
    "channels": channels,
    "credit": credit,
    "loans": loans,
    "bands": bands,
    "plan": plan,
    "models": models,
    "dictionary": dictionary,
}
