# C types of plain.py, which is plain Python without them; also for the compiled modules that answer without the interpreter.

from mailname.answer.images cimport Images

ctypedef unsigned char* Octets

cdef int respond_plain(Images images, Octets query, int size, Octets out) noexcept nogil
