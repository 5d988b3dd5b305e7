"""`huoke` answers at once: nothing heavy is loaded before a command needs it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "pandas", "pyarrow", "pyspark", "scipy", "sklearn")


def test_the_command_line_comes_up_without_anything_heavy() -> None:
    told = f"import sys, jobs.cli; print(sorted({set(HEAVY)!r} & set(sys.modules)), 'typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"
