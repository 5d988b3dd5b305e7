"""The command `huoke` as an application for spark-submit."""

from __future__ import annotations

from jobs.cli import main

if __name__ == "__main__":
    main()
