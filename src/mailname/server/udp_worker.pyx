# cython: language_level=3
"""One UDP worker: takes questions in batches, answers the plain ones without the interpreter, hands the others to Python.

Only built where a compiler was at hand; without it ``udp.py`` answers by itself.
"""

import secrets
import socket

from libc.stdlib cimport calloc, free
from libc.time cimport time
from mailname.answer.images cimport Images
from mailname.answer.plain cimport respond_plain

cdef extern from "udp_batch.h":
    ctypedef struct msghdr:
        unsigned int msg_namelen
        void *msg_control
        size_t msg_controllen
    ctypedef struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    ctypedef struct mailname_batch:
        mmsghdr *in_ "in"
        unsigned char (*question)[4096]
        unsigned char (*answer)[1472]
        unsigned char (*control)[64]
    int MAILNAME_BATCH
    void mailname_prepare(mailname_batch *, int) nogil
    int mailname_receive(int, mailname_batch *) nogil
    void mailname_answered(mailname_batch *, int, int, int) nogil
    void mailname_send(int, mailname_batch *, int) nogil
    int mailname_wait_at_most(int, int) nogil


cdef extern from "udp_batch.h":
    const unsigned char *mailname_sender(mailname_batch *, int) nogil


cdef extern from "rate_limit.h":
    ctypedef struct mailname_count:
        pass
    ctypedef struct mailname_exempt:
        int family
        int bits
        unsigned char octets[16]
    ctypedef struct mailname_limit:
        mailname_count *places
        unsigned int sets
        float rate
        float lowest
        unsigned int slip
        int prefix4
        int prefix6
        unsigned long long *secret
        int exempts
        mailname_exempt *exempt
    int MAILNAME_SEND, MAILNAME_SLIP
    double mailname_now() nogil
    int mailname_verdict(mailname_limit *, const unsigned char *, const unsigned char *, double) nogil
    int mailname_truncated(unsigned char *, int, int) nogil


cdef extern from "cookie.h":
    int MAILNAME_COOKIE
    const unsigned char *mailname_find_cookie(const unsigned char *, int, int *) nogil
    int mailname_answer_cookie(
        const unsigned char *, int, const unsigned char *, const unsigned char *, unsigned int, unsigned char *) nogil


cdef class Counters:
    """What one worker has seen. Written by the worker alone, read by anybody at any time."""

    cdef unsigned long long received, plain, handed_on, dropped, limited
    cdef unsigned long long rcodes[16]
    cdef unsigned long long types[256]

    def as_dict(self):
        """Return the figures: questions received; answered plainly by rcode and by type; handed on; dropped."""
        return {
            "received": self.received,
            "plain": self.plain,
            "handed_on": self.handed_on,
            "dropped": self.dropped,
            "limited": self.limited,
            "rcodes": {rcode: self.rcodes[rcode] for rcode in range(16) if self.rcodes[rcode]},
            "types": {rdtype: self.types[rdtype] for rdtype in range(256) if self.types[rdtype]},
        }


cdef class Worker:
    """Answers at one socket until it is stopped; ``run`` is meant for a thread of its own.

    Args:
        fd: a bound UDP socket; it is set to wait for at most 200 ms at a time.
        images: what to answer from; ``serve`` replaces it.
        with_source: the socket is bound to a wildcard address and gives packet info.
        cookie_secret: the secret of 16 octets for DNS cookies; none are made without it.
        limit: a RateLimit (answer/rate_limit.py), or None for no limit.
        hand_on: called with a list of (question, sender's sockaddr, ancillary octets) that are not plain.
    """

    cdef int fd
    cdef int with_source
    cdef volatile int stopped
    cdef volatile int changed
    cdef Images images
    cdef object hand_on
    cdef mailname_limit limit
    cdef int has_secret
    cdef unsigned char secret[16]
    cdef readonly Counters counters
    # How often this worker has begun anew: what it looked at before it will not look at again.
    cdef readonly unsigned long turns

    def __init__(self, int fd, Images images, bint with_source, bytes cookie_secret, limit, hand_on):
        self.fd = fd
        self.with_source = with_source
        self.images = images
        self.hand_on = hand_on
        self.counters = Counters()
        self.stopped = 0
        self.changed = 0
        self.has_secret = cookie_secret is not None
        if cookie_secret is not None:
            if len(cookie_secret) != 16:
                raise ValueError("a cookie secret has 16 octets")
            for place, octet in enumerate(cookie_secret):
                self.secret[place] = octet
        if limit is not None and limit.responses_per_second:
            self._take_limit(limit)

    def _take_limit(self, limit):
        self.limit.sets = max(limit.table_size // 4, 1)
        self.limit.places = <mailname_count *>calloc(4 * self.limit.sets, sizeof(mailname_count))
        if self.limit.places == NULL:
            raise MemoryError
        self.limit.rate = limit.responses_per_second
        self.limit.lowest = -float(limit.responses_per_second * limit.window)
        self.limit.slip = limit.slip
        self.limit.prefix4, self.limit.prefix6 = limit.ipv4_prefix, limit.ipv6_prefix
        self.limit.secret[0] = secrets.randbits(64)
        self.limit.secret[1] = secrets.randbits(64)
        if len(limit.exempt) > 32:
            raise ValueError("at most 32 networks can be exempt")
        for number, network in enumerate(limit.exempt):
            self.limit.exempt[number].family = socket.AF_INET if network.version == 4 else socket.AF_INET6
            self.limit.exempt[number].bits = network.prefixlen
            for place, octet in enumerate(network.network_address.packed):
                self.limit.exempt[number].octets[place] = octet
        self.limit.exempts = len(limit.exempt)

    def __dealloc__(self):
        free(self.limit.places)

    cdef int _with_cookie(self, mailname_batch *batch, int i, int length, unsigned int wall, int *verified) noexcept nogil:
        """Put the cookie into an answer; returns its length, -1 where the reference has to see to it."""
        cdef int size = 0
        cdef const unsigned char *cookie = mailname_find_cookie(batch.question[i], batch.in_[i].msg_len, &size)
        cdef unsigned char *opt = batch.answer[i] + length - 11
        if cookie == NULL:
            return length
        # What leaves no room for the cookie is left to the reference, which knows what may be left out.
        if length + MAILNAME_COOKIE > _room(batch.question[i]):
            return -1
        verified[0] = mailname_answer_cookie(cookie, size, mailname_sender(batch, i), self.secret, wall, opt + 11)
        if verified[0] < 0:
            return -1
        opt[10] = MAILNAME_COOKIE
        return length + MAILNAME_COOKIE

    def serve(self, Images images):
        """Answer from these images from the next batch on."""
        self.images = images
        self.changed = 1

    def stop(self):
        """Make ``run`` return within 200 ms."""
        self.stopped = 1

    def run(self):
        """Answer until ``stop``."""
        cdef mailname_batch *batch = <mailname_batch *>calloc(1, sizeof(mailname_batch))
        cdef Images images = self.images
        cdef Counters counters = self.counters
        cdef int received, i, length, ready, others
        cdef int handed[64]
        cdef int verdict, verified, opt_size, plain
        cdef unsigned int wall
        cdef double now
        if batch == NULL:
            raise MemoryError
        mailname_prepare(batch, self.with_source)
        mailname_wait_at_most(self.fd, 200)
        try:
            with nogil:
                while not self.stopped:
                    received = mailname_receive(self.fd, batch)
                    if self.changed:
                        with gil:
                            self.changed = 0
                            images = self.images
                    self.turns += 1
                    if received <= 0:
                        continue
                    ready = 0
                    others = 0
                    now = mailname_now()
                    wall = <unsigned int>time(NULL)
                    for i in range(received):
                        verified = 0
                        opt_size = 11 if batch.question[i][11] else 0
                        length = respond_plain(images, batch.question[i], batch.in_[i].msg_len, batch.answer[i])
                        if length > 0 and self.has_secret:
                            plain = length
                            length = self._with_cookie(batch, i, length, wall, &verified)
                            if length > 0:
                                opt_size += length - plain
                        if length > 0:
                            verdict = MAILNAME_SEND
                            if not verified:
                                verdict = mailname_verdict(&self.limit, mailname_sender(batch, i), batch.answer[i] + 1232, now)
                            if verdict != MAILNAME_SEND:
                                counters.limited += 1
                                if verdict != MAILNAME_SLIP:
                                    continue
                                length = mailname_truncated(batch.answer[i], length, opt_size)
                            counters.types[_question_type(batch.question[i])] += 1
                            counters.rcodes[batch.answer[i][3] & 15] += 1
                            mailname_answered(batch, i, ready, length)
                            ready += 1
                        elif length < 0:
                            handed[others] = i
                            others += 1
                    if ready:
                        mailname_send(self.fd, batch, ready)
                    counters.received += received
                    counters.plain += ready
                    counters.handed_on += others
                    counters.dropped += received - ready - others
                    if others:
                        with gil:
                            self.hand_on([_taken(batch, handed[i]) for i in range(others)])
        finally:
            free(batch)


cdef int _room(unsigned char *question) noexcept nogil:
    """Return how many octets a client takes by UDP, as plain.py reckons."""
    cdef unsigned int at = 12, payload
    while question[at]:
        at += question[at] + 1
    payload = (question[at + 8] << 8) | question[at + 9]
    return min(max(payload, 512), 1232)


cdef unsigned int _question_type(unsigned char *question) noexcept nogil:
    """Return the type that a plain question asks for; above 255 all are counted as one."""
    cdef unsigned int at = 12
    while question[at]:
        at += question[at] + 1
    return question[at + 2] if question[at + 1] == 0 else 255


cdef tuple _taken(mailname_batch *batch, int i):
    control = b""
    if batch.in_[i].msg_hdr.msg_controllen:
        control = (<unsigned char *>batch.in_[i].msg_hdr.msg_control)[: batch.in_[i].msg_hdr.msg_controllen]
    return (
        batch.question[i][: batch.in_[i].msg_len],
        mailname_sender(batch, i)[: batch.in_[i].msg_hdr.msg_namelen],
        control,
    )
