# cython: language_level=3
"""Looks at the files of a folder of zones without an object for each: which are unchanged since their images were made.

Only built where a compiler was at hand; without it ``zone_folder`` does the same by itself.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp
from mailname.answer.images cimport Images, _hash

cdef extern from "file_stamp.h":
    int mailname_stamp(int, const char *, unsigned char *) nogil

cdef enum:
    UNCHANGED = 0
    CHANGED = 1
    UNREADABLE = 2


def look(int folder, list names, Images images):
    """Mark the zones whose files have not changed; return the other files.

    Args:
        folder: an open folder.
        names: files in it, each NAME.zone.
        images: of the zones, with the stamps of the files that they were made of.

    Returns:
        (file, stamp, apex) of each other file. The stamp is empty where the file cannot be looked at, the apex where it takes
        more thought to tell than reading a plain lower-case name.

    """
    cdef Py_ssize_t count = len(names), i
    cdef const char **files = <const char **>malloc(count * sizeof(char *) + 1)
    cdef unsigned char *stamps = <unsigned char *>malloc(16 * count + 1)
    cdef unsigned char *states = <unsigned char *>malloc(count + 1)
    cdef unsigned char wire[256]
    cdef int length
    others = []
    try:
        if files == NULL or stamps == NULL or states == NULL:
            raise MemoryError
        for i in range(count):
            files[i] = <bytes>names[i]
        with nogil:
            for i in range(count):
                states[i] = _look(folder, files[i], images, stamps + 16 * i)
        for i in range(count):
            if states[i] != UNCHANGED:
                stamp = b"" if states[i] == UNREADABLE else stamps[16 * i : 16 * i + 16]
                length = _plain_name(files[i], wire)
                others.append((names[i], stamp, wire[:length]))
    finally:
        free(states)
        free(stamps)
        free(files)
    return others


cdef int _look(int folder, const char *file, Images images, unsigned char *stamp) noexcept nogil:
    cdef unsigned char wire[256]
    cdef int length, number
    if mailname_stamp(folder, file, stamp):
        return UNREADABLE
    length = _plain_name(file, wire)
    if length == 0:
        return CHANGED
    number = images.locate(wire, length, _hash(wire, 0, length))
    if number < 0 or not images.is_made_of(number, stamp):
        return CHANGED
    images.keep(number)
    return UNCHANGED


cdef int _plain_name(const char *file, unsigned char *wire) noexcept nogil:
    """Read the name of a zone from NAME.zone; return its length in wire form, 0 where it is not plain."""
    cdef int at = 0, label = 0, end = 0
    cdef char octet
    while file[end]:
        end += 1
    end -= 5  # .zone
    if end <= 0 or end > 253 or (end == 4 and memcmp(file, "root", 4) == 0):
        return 0
    for at in range(end):
        octet = file[at]
        if octet == c".":
            if at == label or at - label > 63:
                return 0
            wire[label] = <unsigned char>(at - label)
            label = at + 1
        elif c"a" <= octet <= c"z" or c"0" <= octet <= c"9" or octet == c"-" or octet == c"_":
            wire[at + 1] = <unsigned char>octet
        else:
            return 0
    if end == label or end - label > 63:
        return 0
    wire[label] = <unsigned char>(end - label)
    wire[end + 1] = 0
    return end + 2
