"""What a plain question is made of: its EDNS options, the hashes of its name's suffixes, the name that an alias leads to.

Compiled with ``plain.py``, whose rules hold here too.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

_32_BITS = cython.declare(cython.uint, 0xFFFFFFFF)


def options_are_plain(images, query, at, size, rdtype):
    """Tell whether all EDNS options may be ignored (RFC 6891 section 6.1.2): those that we answer need the reference."""
    code: cython.uint
    while at < size:
        if at + 4 > size:
            return False
        code = (query[at] << 8) | query[at + 1]
        at += 4 + ((query[at + 2] << 8) | query[at + 3])
        # EXPIRE (9) is about the SOA alone (RFC 7314 section 3).
        if (code < 32 and (images.speaks >> code) & 1) or (code == 9 and rdtype == 6):
            return False
    return at == size


def hash_suffixes(key, length, starts, label, hashes):
    """Hash the suffixes of a name that begin at its labels, up to ``label``, in one pass from the end (see name_hash)."""
    hashed: cython.uint = 0x811C9DC5
    i: cython.int = length - 1
    while i >= 0:
        hashed = ((hashed ^ key[i]) * 0x01000193) & _32_BITS
        if i == starts[label]:
            hashes[label] = hashed
            label -= 1
        i -= 1


def take_target(out, at, apex, apex_length, key, starts):
    """Read an alias's target, labels and a pointer to the apex at ``at``, into ``key``; return the number of those labels.

    -1 when it is longer than a name can be.
    """
    labels: cython.int = 0
    length: cython.int = 0
    i: cython.int
    octet: cython.uchar
    while out[at] < 64:
        starts[labels] = length
        key[length] = out[at]
        if length + 1 + out[at] + apex_length > 255:
            return -1
        for i in range(1, 1 + out[at]):
            octet = out[at + i]
            key[length + i] = octet + 32 if 65 <= octet <= 90 else octet
        length += 1 + out[at]
        at += 1 + out[at]
        labels += 1
    starts[labels] = length
    for i in range(apex_length):
        key[length + i] = apex[i]
    return labels
