# C types of fast_load.py.

cimport cython

from mailname.zone.fast_scan cimport Scanner
from mailname.zone.fast_types cimport Octets
from mailname.zone.image_build cimport ImageBuilder
from mailname.zone.image_layout cimport Layout

@cython.final
cdef class FastLoad:
    cdef readonly Scanner scanner
    cdef readonly ImageBuilder builder
    cdef readonly Layout layout
    cdef readonly int found, good
    cdef bint large
    cdef bint load(self, Octets text, unsigned int size, Octets apex, int length) noexcept nogil
    cdef bint _scan(self) noexcept nogil
    cdef bint _make_ready(self) noexcept nogil
