"""The root of a Merkle tree word for word as RFC 6962, 2.1 defines it: what ours are held against."""

from hashlib import sha256


def root_of(leaves):
    """`MTH(D[n])`: the hash of nothing, of one leaf, or of the trees left and right of the split."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1  # the largest power of two smaller than n
    return sha256(b"\1" + root_of(leaves[:left]) + root_of(leaves[left:])).digest()
