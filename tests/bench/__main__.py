"""`make bench`: speeds side by side, each table's ratios taken in one run; `python tests/bench NAME` runs one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import ablations
import allocation
import attribution
import components
import creatives
import growth
import identity
import links
import partner_choice
import path_models
import peer
import scoring
import truth
import vintages

BENCHES = {
    "ablations": (ablations.add, ablations.run_ablations, ablations.show),
    "allocation": (allocation.add, allocation.run_allocation, allocation.show),
    "attribution": (attribution.add, attribution.run_attribution, attribution.show),
    "components": (components.add, components.run_components, components.show),
    "creatives": (creatives.add, creatives.run_creatives, creatives.show),
    "growth": (growth.add, growth.run_growth, growth.show),
    "identity": (identity.add, identity.run_identity, identity.show),
    "links": (links.add, links.run_links, links.show),
    "partners": (partner_choice.add, partner_choice.run_partners, ablations.show),
    "paths": (path_models.add, path_models.run_paths, path_models.show),
    "peer": (peer.add, peer.run_peer, peer.show),
    "scoring": (scoring.add, scoring.run_scoring, scoring.show),
    "truth": (truth.add, truth.run_truth, truth.show),
    "vintages": (vintages.add, vintages.run_vintages, vintages.show),
}


def main() -> None:
    """Run the bench that is named, or all of them with their usual options."""
    options = argparse.ArgumentParser(description=__doc__)
    names = options.add_subparsers(dest="bench")
    for name, (add, _, _) in BENCHES.items():
        one = names.add_parser(name)
        one.add_argument("--folder", type=Path, default=Path("var/bench"))
        one.add_argument("--json", action="store_true")
        add(one)
    asked = options.parse_args()
    for name in [asked.bench] if asked.bench else list(BENCHES):
        chosen = asked if asked.bench else options.parse_args([name])
        found = BENCHES[name][1](chosen)
        if chosen.json:
            print(json.dumps(found))
        else:
            BENCHES[name][2](found)


if __name__ == "__main__":
    main()
