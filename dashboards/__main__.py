"""`python -m dashboards`: the Dash shell."""

from __future__ import annotations

import typer

from dashboards.app import main

typer.run(main)
