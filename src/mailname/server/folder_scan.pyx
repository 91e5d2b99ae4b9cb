# cython: language_level=3
"""Looks at the files of a folder of zones without an object for each: which are unchanged since their images were made.

Only built where a compiler was at hand; without it ``zone_folder`` does the same by itself.
"""

from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset
from mailname.answer.images cimport Images, _hash
from mailname.zone.fast_load cimport FastLoad

cdef extern from "folder_files.h":
    int mailname_stamp(int, const char *, unsigned char *) nogil
    int mailname_read(int, const char *, unsigned char *, unsigned int) nogil

cdef enum:
    LARGEST = 1 << 20  # octets of a file that is read here; a larger one is worth a thread of its own
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


cdef class PlainFiles:
    """Files of a folder read into images, one behind the other, as far as nothing in them is unusual.

    Attributes:
        taken: how many files were looked at.
        zones: how many of them were read.
        images, entries, names: what ``PackWriter.begin_with`` takes.
        others: the places of the files that somebody has to look at.

    """

    cdef readonly int taken, zones
    cdef readonly bytes images, entries, names
    cdef readonly list others

    def __init__(self, int folder, list files, FastLoad loader, unsigned long long changed_before, Py_ssize_t most):
        """Read files until there are ``most`` octets of images.

        Args:
            folder: an open folder.
            files: (name, stamp, apex) of each, the apex in lower-case wire form.
            loader: of this thread.
            changed_before: nanoseconds since 1970; a file that has changed later may change again without showing it.
            most: octets.

        """
        cdef Py_ssize_t count = len(files), i, used = 0, room = 1 << 16, entries_used = 0, names_used = 0, others_count = 0
        cdef unsigned int text_room = 1 << 14, size
        cdef const char **names = <const char **>malloc(count * sizeof(char *) + 1)
        cdef unsigned char **facts = <unsigned char **>malloc(2 * count * sizeof(char *) + 1)
        cdef int *lengths = <int *>malloc(count * sizeof(int) + 1)
        cdef int *others = <int *>malloc(count * sizeof(int) + 1)
        cdef unsigned char *entries = <unsigned char *>malloc(40 * count + 1)
        cdef unsigned char *apexes = <unsigned char *>malloc(256 * count + 1)
        cdef unsigned char *text = <unsigned char *>malloc(text_room)
        cdef unsigned char *out = <unsigned char *>malloc(room)
        cdef unsigned char *larger
        cdef unsigned long long needed
        cdef bint failed = False
        try:
            if not (names and facts and lengths and others and entries and apexes and text and out):
                raise MemoryError
            for i in range(count):
                name, stamp, apex = files[i]
                names[i] = <bytes>name
                facts[2 * i] = <unsigned char *><char *><bytes>stamp
                facts[2 * i + 1] = <unsigned char *><char *><bytes>apex
                lengths[i] = len(apex) if len(stamp) == 16 else 0
            loader.begin_many()
            with nogil:
                for i in range(count):
                    self.taken += 1
                    size = _size(facts[2 * i]) if lengths[i] else 0xFFFFFFFF
                    if size > LARGEST:
                        others[others_count] = i
                        others_count += 1
                        continue
                    if size + 1 > text_room:
                        larger = <unsigned char *>realloc(text, size + 1)
                        if larger == NULL:
                            failed = True
                            break
                        text, text_room = larger, size + 1
                    if mailname_read(folder, names[i], text, size) or not loader.load(text, size, facts[2 * i + 1], lengths[i]):
                        others[others_count] = i
                        others_count += 1
                        continue
                    needed = loader.layout.total + 8
                    if used + needed > room:
                        room = 2 * room + needed
                        larger = <unsigned char *>realloc(out, room)
                        if larger == NULL:
                            failed = True
                            break
                        out = larger
                    loader.layout.write_to(out + used)
                    _enter(entries + entries_used, 64 + used, loader.layout.total, facts[2 * i], names_used, lengths[i])
                    _put(entries + entries_used + 12, _hash(facts[2 * i + 1], 0, lengths[i]), 4)
                    if _changed(facts[2 * i]) > changed_before:
                        memset(entries + entries_used + 16, 0, 16)
                    memcpy(apexes + names_used, facts[2 * i + 1], lengths[i])
                    entries_used += 40
                    names_used += lengths[i]
                    self.zones += 1
                    used += loader.layout.total
                    while used % 8:
                        out[used] = 0
                        used += 1
                    if used >= most:
                        break
            if failed:
                raise MemoryError
            self.images = out[:used]
            self.entries = entries[:entries_used]
            self.names = apexes[:names_used]
            self.others = [others[i] for i in range(others_count)]
        finally:
            free(out)
            free(text)
            free(apexes)
            free(entries)
            free(others)
            free(lengths)
            free(facts)
            free(names)


cdef unsigned int _size(const unsigned char *stamp) noexcept nogil:
    """Return the size that a stamp tells."""
    return stamp[8] | (stamp[9] << 8) | (stamp[10] << 16) | (<unsigned int>stamp[11] << 24)


cdef unsigned long long _changed(const unsigned char *stamp) noexcept nogil:
    """Return the time that a stamp tells."""
    cdef unsigned long long found = 0
    cdef int i
    for i in range(8):
        found |= <unsigned long long>stamp[i] << (8 * i)
    return found


cdef void _put(unsigned char *out, unsigned long long value, int octets) noexcept nogil:
    cdef int i
    for i in range(octets):
        out[i] = (value >> (8 * i)) & 255


cdef void _enter(
    unsigned char *entry, Py_ssize_t at, unsigned long long length, const unsigned char *stamp, Py_ssize_t name, int name_length
) noexcept nogil:
    """Write the entry of a zone (see ``zone.pack``), but for the hash."""
    _put(entry, at, 8)
    _put(entry + 8, length, 4)
    memcpy(entry + 16, stamp, 16)
    _put(entry + 32, name, 4)
    _put(entry + 36, name_length, 2)
    _put(entry + 38, 0, 2)
