# C types of fast_load.py.

cimport cython

from mailname.zone.fast_scan cimport Scanner
from mailname.zone.image_build cimport ImageBuilder
from mailname.zone.image_layout cimport Layout

@cython.final
cdef class FastLoad:
    cdef readonly Scanner scanner
    cdef readonly ImageBuilder builder
    cdef Layout layout
    cdef readonly int found, good
    cdef bint large
    cdef bint _scan(self) noexcept nogil
    cdef bint _make_ready(self) noexcept nogil
