"""The chain of NSEC or NSEC3 records that proves what is not in a zone: which owners belong to it (see ``denial_index``).

The same source runs compiled, without the interpreter's lock, and uncompiled.
"""

# No `from __future__ import annotations` here: the annotations are C types.
import cython

from mailname.zone.record_groups import RecordGroups

if cython.compiled:
    from cython.cimports.mailname.zone.owner_index import NONE, OWNER
    from cython.cimports.mailname.zone.packed import ROW
    from cython.cimports.mailname.zone.record_groups import HAS_NSEC, HAS_NSEC3, ONLY_HASHED
else:
    from mailname.zone.owner_index import NONE, OWNER
    from mailname.zone.packed import ROW
    from mailname.zone.record_groups import HAS_NSEC, HAS_NSEC3, ONLY_HASHED

    HASHED, IN_CHAIN = 128, 0x200
    NSEC_LINK, NSEC3_LINK = 4, 24

_MOST_ITERATIONS = cython.declare(cython.uint, 2500)  # RFC 5155 section 10.3
_LABEL = cython.declare(cython.int, 32)  # a SHA-1 hash in base32hex (RFC 5155 section 3.3)
_NO_DIGIT = cython.declare(cython.int, 255)


def digit_of(octet):
    """Return what an octet stands for in base32hex (RFC 4648 section 7), 255 for none."""
    if 48 <= octet <= 57:
        return octet - 48
    if 65 <= octet <= 86:
        return octet - 55
    if 97 <= octet <= 118:
        return octet - 87
    return _NO_DIGIT


class DenialChain(RecordGroups):
    """The RRsets of one zone, and its chain.

    Attributes:
        hides: there are owners that no question finds.
        odd: an owner in the chain of NSEC3 is not the hash of a name.
        links: how many owners are in the chain.
        link_size: octets that each of them takes in the image.
        used: the NSEC3PARAM record that the chain goes by, NONE for a chain of NSEC.
        soa_signatures: octets of the SOA's signatures as they go into an answer.

    """

    def find_chain(self):
        """Find the chain, and flag its owners; those that are only hashes of names are hidden from questions."""
        record: cython.uint = self.parameters
        owner: cython.uint
        flags: cython.uint
        self.hides = self.odd = False
        self.links = 0
        self.used = NONE
        self.link_size = NSEC_LINK
        self._measure_soa_signatures()
        if self.nsec:
            for owner in range(self.index.count):
                if (self.index.owners[OWNER * owner + 4] >> 16) & HAS_NSEC:
                    self._flag_link(owner, IN_CHAIN)
            return
        while record != NONE and self.packed.rows[ROW * record + 2] >> 16 == 51:
            if self._has_chain(record):
                self.used = record
                self.link_size = NSEC3_LINK
                self.hides = True
                for owner in range(self.index.count):
                    flags = self.index.owners[OWNER * owner + 4] >> 16
                    if flags & ONLY_HASHED:
                        self.index.owners[OWNER * owner + 4] = self.index.owners[OWNER * owner + 4] | (HASHED << 16)
                    if flags & HAS_NSEC3 and self._is_of_chain(owner, record):
                        self._flag_link(owner, IN_CHAIN)
                        if not self._is_hash(owner):
                            self.odd = True
                return
            record = self.packed.rows[ROW * record + 5]

    def _measure_soa_signatures(self):
        record: cython.uint = self.index.owners[1]
        self.soa_signatures = 0
        while record != NONE:
            if self.packed.rows[ROW * record + 2] >> 16 == 46 and self._covered(record) == 6:
                self.soa_signatures += 12 + (self.packed.rows[ROW * record + 2] & 65535)
            record = self.packed.rows[ROW * record + 5]

    def _flag_link(self, owner, flag):
        self.index.owners[OWNER * owner + 4] = self.index.owners[OWNER * owner + 4] | (flag << 16)
        self.links += 1

    def _has_chain(self, parameters):
        """Tell whether a NSEC3PARAM record can be used, and the zone has NSEC3 records that it speaks of (RFC 5155 section 4)."""
        data = self.packed.data
        at: cython.uint = self.packed.rows[ROW * parameters + 3]
        owner: cython.uint
        if data[at] != 1 or data[at + 1] or ((data[at + 2] << 8) | data[at + 3]) > _MOST_ITERATIONS:
            return False
        for owner in range(self.index.count):
            if (self.index.owners[OWNER * owner + 4] >> 16) & HAS_NSEC3 and self._is_of_chain(owner, parameters):
                return True
        return False

    def _is_of_chain(self, owner, parameters):
        """Tell whether an owner's first NSEC3 record has the hash, the iterations and the salt of a NSEC3PARAM record."""
        data = self.packed.data
        rows = self.packed.rows
        one: cython.uint = rows[ROW * parameters + 3]
        record: cython.uint = self.index.owners[OWNER * owner + 1]
        other: cython.uint
        i: cython.uint
        while rows[ROW * record + 2] >> 16 != 50:
            record = rows[ROW * record + 5]
        other = rows[ROW * record + 3]
        if data[other] != 1:
            return False
        for i in range(2, 5 + cython.cast(cython.uint, data[one + 4])):
            if data[one + i] != data[other + i]:
                break
        else:
            return True
        return False

    def _is_hash(self, owner):
        """Tell whether an owner is one label below the apex, and that label the hash of a name."""
        data = self.packed.data
        place: cython.uint = self.index.owners[OWNER * owner]
        i: cython.int
        if ((self.index.owners[OWNER * owner + 4] >> 8) & 255) != self.index.apex_labels + 1 or data[place] != _LABEL:
            return False
        for i in range(1, 1 + _LABEL):
            if digit_of(data[place + i]) == _NO_DIGIT:
                break
        else:
            return True
        return False
