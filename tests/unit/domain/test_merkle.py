"""The trees against RFC 6962: its recursive definition, the vectors of its reference implementation, and proofs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import merkle

# The inputs and roots of certificate-transparency's merkle_tree_test.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
LISTS = st.lists(st.binary(max_size=8), max_size=40)


def of_the_rfc(leaves):
    """RFC 6962 §2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + of_the_rfc(leaves[:half]) + of_the_rfc(leaves[half:])).digest()


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_the_reference_implementations_vectors_come_out(size, root):
    assert merkle.root([merkle.leaf(data) for data in INPUTS[:size]]).hex() == root


@given(LISTS)
def test_the_root_is_the_rfcs(datas):
    leaves = [merkle.leaf(data) for data in datas]
    assert merkle.root(leaves) == of_the_rfc(leaves)


@given(LISTS.filter(bool), st.data())
def test_a_proof_shows_its_own_leaf_and_no_other(datas, draw):
    index = draw.draw(st.integers(0, len(datas) - 1))
    leaves = [merkle.leaf(data) for data in datas]
    root, path = merkle.root(leaves), merkle.proof(index, leaves)
    assert merkle.includes(datas[index], index, len(datas), path, root)
    assert not merkle.includes(datas[index] + b"!", index, len(datas), path, root)
    assert not merkle.includes(datas[index], index, len(datas), [*path, b"\0" * 32], root)
    assert not merkle.includes(datas[index], len(datas), len(datas), path, root)
    if path:
        assert not merkle.includes(datas[index], index, len(datas), path[:-1], root)


def test_a_node_cannot_pass_for_a_leaf():
    left, right = merkle.leaf(b"a"), merkle.leaf(b"b")
    assert merkle.root([merkle.leaf(left + right)]) != merkle.root([left, right])


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_proof_of_what_is_not_in_the_list(index):
    with pytest.raises(IndexError):
        merkle.proof(index, [merkle.leaf(b"a"), merkle.leaf(b"b")])
