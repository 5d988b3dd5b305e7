"""Components equal a union-find on random graphs, and settle on a long chain and a hub."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Any

import pytest

from jobs.link.components import components


def by_union_find(edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            node = parent[node]
        return node

    for a, b in edges:
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    return {node: root(node) for node in parent}


def found(spark: Any, shell: Any, edges: list[tuple[str, str]], **road: int) -> dict[str, str]:
    labels = components(spark.createDataFrame(edges, "a string, b string"), shell, **road).collect()
    assert len({row["node"] for row in labels}) == len(labels)
    return {row["node"]: row["label"] for row in labels}


def graphs(dice: random.Random, chain: int, hub: int) -> list[tuple[str, str]]:
    """Two hundred random graphs, a chain in order, one that is scrambled, and a hub."""
    edges: list[tuple[str, str]] = []
    for graph in range(200):
        nodes = [f"g{graph:03d}-{dice.randrange(10**6):06d}" for _ in range(12)]
        edges += [(dice.choice(nodes), dice.choice(nodes)) for _ in range(dice.randrange(1, 16))]
    edges += list(itertools.pairwise(f"chain-{i:05d}" for i in range(chain)))
    edges += list(itertools.pairwise(f"mixed-{i:05d}" for i in dice.sample(range(10**5), chain // 2)))
    edges += [("hub", f"spoke-{i}") for i in range(hub)]
    dice.shuffle(edges)
    return edges


@pytest.mark.parametrize(("road", "chain", "hub"), [({}, 10_000, 100_000), ({"most_in_one_task": 0}, 600, 500)])
@pytest.mark.usefixtures("several_partitions")
def test_random_graphs_chains_and_a_hub_get_their_smallest_node(
    spark: Any, make_shell: Any, road: dict[str, int], chain: int, hub: int
) -> None:
    edges = graphs(random.Random(3), chain, hub)
    truth = by_union_find((a, b) for a, b in edges if a != b)
    assert found(spark, make_shell(), edges, **road) == truth
    assert len({truth[f"chain-{i:05d}"] for i in range(chain)}) == 1


@pytest.mark.parametrize("road", [{}, {"most_in_one_task": -1}])
def test_no_edges_no_components(spark: Any, make_shell: Any, road: dict[str, int]) -> None:
    assert found(spark, make_shell(), [], **road) == {}
    assert found(spark, make_shell(), [("a", "a")], **road) == {}
