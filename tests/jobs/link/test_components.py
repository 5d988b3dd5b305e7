"""Components equal a union-find on random graphs, and settle on a long chain and a hub."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Any

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


def found(spark: Any, shell: Any, edges: list[tuple[str, str]]) -> dict[str, str]:
    labels = components(spark.createDataFrame(edges, "a string, b string"), shell).collect()
    assert len({row["node"] for row in labels}) == len(labels)
    return {row["node"]: row["label"] for row in labels}


def test_random_graphs_a_chain_and_a_hub_get_their_smallest_node(spark: Any, make_shell: Any) -> None:
    shell, dice = make_shell(), random.Random(3)
    edges: list[tuple[str, str]] = []
    for graph in range(40):
        nodes = [f"g{graph:02d}-{dice.randrange(10**6):06d}" for _ in range(12)]
        edges += [(dice.choice(nodes), dice.choice(nodes)) for _ in range(dice.randrange(1, 16))]
    chain = [f"chain-{i:05d}" for i in range(600)]
    edges += list(itertools.pairwise(chain))
    scrambled = [f"mixed-{i:05d}" for i in dice.sample(range(10**5), 300)]
    edges += list(itertools.pairwise(scrambled))
    edges += [("hub", f"spoke-{i}") for i in range(500)]
    dice.shuffle(edges)
    truth = by_union_find((a, b) for a, b in edges if a != b)
    assert found(spark, shell, edges) == truth
    assert len({truth[node] for node in chain}) == 1


def test_no_edges_no_components(spark: Any, make_shell: Any) -> None:
    assert found(spark, make_shell(), []) == {}
    assert found(spark, make_shell(), [("a", "a")]) == {}
