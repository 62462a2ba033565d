"""What has been joined so far, and why: disjoint sets of the things that can name a device."""

from collections.abc import Iterator

Node = tuple[str, str]  # "mac", "address", "serial", "asset" or "client", and which


class Links:
    """Disjoint sets (Tarjan 1975), each called by the smallest of its nodes.

    reasons   why a node was joined to others, one short line each
    notes     what was not joined and why, one sentence each
    claims    the cards that say they hold an address, where several devices do
    lent      adapters that several devices of the asset lists share
    disputed  serial numbers that several switches tell
    """

    def __init__(self) -> None:
        self._above: dict[Node, Node] = {}
        self.reasons: list[tuple[Node, str]] = []
        self.notes: set[str] = set()
        self.claims: dict[str, tuple[str, ...]] = {}
        self.lent: set[str] = set()
        self.disputed: set[str] = set()

    def root(self, node: Node) -> Node:
        """The name of the set that `node` is in."""
        while (above := self._above.get(node, node)) != node:
            self._above[node] = self._above.get(above, above)
            node = above
        return node

    def unite(self, one: Node, other: Node, reason: str = "") -> None:
        """Both are of one device, because of `reason`."""
        for node in (one, other):
            self._above.setdefault(node, node)
        first, second = sorted((self.root(one), self.root(other)))
        self._above[second] = first
        if reason:
            self.reasons.append((one, reason))

    def __contains__(self, node: Node) -> bool:
        return node in self._above

    def __iter__(self) -> Iterator[Node]:
        return iter(sorted(self._above))
