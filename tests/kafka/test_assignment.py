"""Who gets what, whoever claims what: no broker is needed."""

from hypothesis import given
from hypothesis import strategies as st

from sagalog.streams.kafka.assignment import Claim, Plan, assign, present

NOTHING: frozenset[int] = frozenset()
PARTITIONS = st.integers(min_value=1, max_value=30).map(range)


def settle(partitions: range, claims: dict[str, Claim]) -> tuple[Plan, int]:
    """Give up and join again until nothing moves; the last plan, and how many there were."""
    for generation in range(1, 10):
        plan = assign(partitions, claims)
        if plan.complete:
            return plan, generation
        claims = {
            member: Claim(claims[member].owned & share | share, generation)
            for member, share in plan.shares.items()
        }
    raise AssertionError("the members are never content")


@st.composite
def owners(draw: st.DrawFn) -> tuple[range, dict[str, Claim]]:
    """Partitions, and members who claim some of them, each by one member at most."""
    partitions = draw(PARTITIONS)
    members = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True))
    owner = {p: draw(st.sampled_from([*members, ""])) for p in partitions}
    held = {member: frozenset(p for p in owner if owner[p] == member) for member in members}
    return partitions, {member: Claim(held[member], 1) for member in members}


@given(owners())
def test_nobody_gets_what_another_still_has(group: tuple[range, dict[str, Claim]]) -> None:
    partitions, claims = group
    plan = assign(partitions, claims)
    for member, share in plan.shares.items():
        for other in claims.keys() - {member}:
            assert not share & (claims[other].owned | plan.shares[other])


@given(owners())
def test_in_two_rounds_all_is_shared_evenly(group: tuple[range, dict[str, Claim]]) -> None:
    partitions, claims = group
    plan, rounds = settle(partitions, claims)
    sizes = sorted(map(len, plan.shares.values()))
    assert frozenset.union(*plan.shares.values()) == frozenset(partitions)
    assert sizes[-1] - sizes[0] <= 1
    assert rounds <= 2


@given(owners())
def test_an_even_share_stays(group: tuple[range, dict[str, Claim]]) -> None:
    partitions, claims = group
    settled, _ = settle(partitions, claims)
    again = assign(partitions, {m: Claim(share, 5) for m, share in settled.shares.items()})
    assert again == settled


@given(owners())
def test_no_more_moves_than_must(group: tuple[range, dict[str, Claim]]) -> None:
    partitions, claims = group
    plan = assign(partitions, claims)
    most = -(-len(partitions) // len(claims))
    for member, claim in claims.items():
        assert len(plan.shares[member] & claim.owned) >= min(len(claim.owned), most - 1)


def test_of_two_claims_the_later_generations_holds() -> None:
    """Who was away for a while may believe that he still owns what others got meanwhile."""
    zombie, owner = Claim(frozenset({0, 1}), 3), Claim(frozenset({0, 1}), 7)
    plan = assign(range(2), {"a": zombie, "b": owner})
    assert plan == Plan({"a": NOTHING, "b": frozenset({0})}, complete=False)


def test_a_late_joiner_waits_for_what_is_given_up() -> None:
    first = Claim(frozenset(range(4)), 1)
    plan = assign(range(4), {"a": first, "b": Claim(NOTHING, -1)})
    assert plan == Plan({"a": frozenset({0, 1}), "b": NOTHING}, complete=False)


def test_more_members_than_partitions() -> None:
    plan, _ = settle(range(2), {member: Claim(NOTHING, -1) for member in "abc"})
    assert sorted(map(len, plan.shares.values())) == [0, 1, 1]


def claim(word: str, *heard: str) -> Claim:
    return Claim(NOTHING, 1, word, frozenset(heard))


def test_who_said_the_same_word_before_is_not_here() -> None:
    claims = {"a": claim("new"), "b": claim("old")}
    assert present(claims, {"old", "older"}) == {"a": claims["a"]}


def test_what_the_others_have_heard_counts_for_a_newcomer_who_leads() -> None:
    claims = {"newcomer": claim("1"), "member": claim("2", "3", "4"), "dead": claim("3")}
    assert present(claims, ()).keys() == {"newcomer", "member"}


def test_who_is_not_known_from_before_is_here() -> None:
    claims = {"a": claim("1"), "b": claim("2"), "of an older release": claim("")}
    assert present(claims, ()) == claims
