"""Who gets which partition: balanced, with as few moves as can be, and never two owners.

A partition that is to move is given to nobody at first. Its owner sees that it is not among
its own any more, gives it up, and joins again; only then it goes to its next owner. So a
member that comes or goes stops nobody else's work (as in KIP-429).
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

Partitions = frozenset[int]


class Claim(NamedTuple):
    """What a member says it owns, and since which generation of the group it may say so.

    `word` is another one each time it joins: it tells what is said now from what stands there
    of a member that has not joined since.
    """

    owned: Partitions
    generation: int
    word: str = ""


class Plan(NamedTuple):
    """Who owns what from now on; `complete` unless partitions wait for their old owners."""

    shares: dict[str, Partitions]
    complete: bool


def present(claims: Mapping[str, Claim], heard: Collection[str]) -> dict[str, Claim]:
    """The claims of those who have joined now; `heard` are the words of the time before.

    Who has not is dead or frozen. Brokers keep it in the group for a session, and begin that
    anew each time the group forms: without its words it would keep its partitions as long as
    others come and go.
    """
    return {member: claim for member, claim in claims.items() if claim.word not in heard}


def assign(partitions: Collection[int], claims: Mapping[str, Claim]) -> Plan:
    """Share the partitions among the members, by name."""
    owners = _owners(partitions, claims)
    held = {member: [p for p in owners if owners[p] == member] for member in claims}
    quotas = _quotas(len(partitions), held)
    shares = {member: sorted(held[member])[: quotas[member]] for member in claims}
    free = sorted(set(partitions) - owners.keys())
    for member in sorted(claims):
        missing = quotas[member] - len(shares[member])
        shares[member] += free[:missing]
        free = free[missing:]
    moving = set(partitions) - {p for share in shares.values() for p in share}
    return Plan({member: frozenset(share) for member, share in shares.items()}, not moving)


def _owners(partitions: Collection[int], claims: Mapping[str, Claim]) -> dict[int, str]:
    """The owner of each partition that has one; of two claims the later generation's holds."""
    owners: dict[int, str] = {}
    for member in sorted(claims, key=lambda member: (claims[member].generation, member)):
        owners |= dict.fromkeys(claims[member].owned.intersection(partitions), member)
    return owners


def _quotas(partitions: int, held: Mapping[str, Collection[int]]) -> dict[str, int]:
    """How many each member shall have; who has most already gets what does not divide."""
    each, rest = divmod(partitions, max(len(held), 1))
    by_possession = sorted(held, key=lambda member: (-len(held[member]), member))
    return {member: each + (place < rest) for place, member in enumerate(by_possession)}
