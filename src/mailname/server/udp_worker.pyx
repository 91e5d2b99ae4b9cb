# cython: language_level=3
"""One UDP worker: takes questions in batches, answers the plain ones without the interpreter, hands the others to Python.

Only built where a compiler was at hand; without it ``udp.py`` answers by itself.
"""

import heapq
import secrets
import socket

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset
from libc.time cimport time
from mailname.answer.images cimport Images
from mailname.answer.plain cimport respond_plain
from mailname.server.client_sketch cimport ClientSketch
from mailname.server.name_sketch cimport NameSketch

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
    void mailname_short_turns() nogil
    unsigned long long mailname_microseconds() nogil
    int mailname_bits(unsigned long long) nogil


cdef extern from "udp_batch.h":
    const unsigned char *mailname_sender(mailname_batch *, int) nogil
    ctypedef struct mailname_zone:
        unsigned long long answers
        unsigned int since
        unsigned int mark
    int mailname_is_ipv4(const unsigned char *) nogil
    unsigned long long mailname_network(const unsigned char *) nogil


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
        unsigned int forgiven
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


cdef extern from "prefetch.h":
    ctypedef struct mailname_ahead:
        pass
    int MAILNAME_WORTH_IT
    void mailname_look_ahead(
        const unsigned int *, unsigned int, unsigned char **, const unsigned char *, int, mailname_ahead *) nogil
    void mailname_fetch_ahead(mailname_ahead *, int) nogil


cdef unsigned int _mark(Images images, unsigned int number) noexcept nogil:
    """Return what tells zones apart that have a number one after the other: a hash of the apex, 0 for none (see images.py)."""
    return images.facts[4 * number] | 1 if images.facts[4 * number + 3] & 1 else 0


cdef class Counters:
    """What one worker has seen. Written by the worker alone, read by anybody at any time."""

    cdef unsigned long long received, plain, handed_on, dropped, limited
    cdef unsigned long long rcodes[16]
    cdef unsigned long long types[512]
    cdef unsigned long long ipv4, ipv6, edns, dnssec
    # Answers by the bits of the microseconds that they took, and all those microseconds.
    cdef unsigned long long took[25]
    cdef unsigned long long microseconds
    cdef mailname_zone *zones
    cdef unsigned int room
    cdef readonly ClientSketch clients
    cdef readonly NameSketch names

    def __init__(self, Images images):
        self.clients = ClientSketch()
        self.names = NameSketch()
        self.follow(images)

    def __dealloc__(self):
        free(self.zones)

    cdef int follow(self, Images images) except -1:
        """Count for these zones from now on; a zone keeps its count for as long as it keeps its number."""
        cdef unsigned int number, mark, now = <unsigned int>time(NULL)
        cdef mailname_zone *zones
        if images.zones > self.room:
            zones = <mailname_zone *>realloc(self.zones, (images.zones + images.zones // 8) * sizeof(mailname_zone))
            if zones == NULL:
                raise MemoryError
            self.zones = zones
            memset(zones + self.room, 0, (images.zones + images.zones // 8 - self.room) * sizeof(mailname_zone))
            self.room = images.zones + images.zones // 8
        for number in range(self.room):
            mark = _mark(images, number) if number < images.zones else 0
            if self.zones[number].mark != mark or not self.zones[number].since:
                self.zones[number].answers = 0
                self.zones[number].since = now
                self.zones[number].mark = mark
        return 0

    cdef void answered(
        self, const unsigned char *question, const unsigned char *answer, const unsigned char *sender
    ) noexcept nogil:
        """Count a plain answer, behind which ``respond_plain`` has left its notes."""
        cdef unsigned int at = 12, zone = answer[1237] | answer[1238] << 8 | answer[1239] << 16 | <unsigned int>answer[1240] << 24
        while question[at]:
            at += question[at] + 1
        self.types[min(question[at + 1] << 8 | question[at + 2], 511)] += 1
        self.rcodes[answer[3] & 15] += 1
        if question[11]:
            self.edns += 1
            self.dnssec += question[at + 12] >> 7
        if mailname_is_ipv4(sender):
            self.ipv4 += 1
        else:
            self.ipv6 += 1
        if zone < self.room:
            self.zones[zone].answers += 1

    def as_dict(self):
        """Return the figures: questions received; answered plainly by rcode and by type (above 254 as one); handed on; dropped."""
        types = {rdtype: self.types[rdtype] for rdtype in range(255) if self.types[rdtype]}
        others = sum(self.types[rdtype] for rdtype in range(255, 512))
        return {
            "received": self.received,
            "plain": self.plain,
            "handed_on": self.handed_on,
            "dropped": self.dropped,
            "limited": self.limited,
            "rcodes": {rcode: self.rcodes[rcode] for rcode in range(16) if self.rcodes[rcode]},
            "types": types | ({255: others} if others else {}),
        }

    def traffic(self):
        """Return the same with types one by one (from 511 on as 511), and what else is told apart."""
        return self.as_dict() | {
            "types": {rdtype: self.types[rdtype] for rdtype in range(512) if self.types[rdtype]},
            "ipv4": self.ipv4,
            "ipv6": self.ipv6,
            "edns": self.edns,
            "do": self.dnssec,
            "took": {bits: self.took[bits] for bits in range(25) if self.took[bits]},
            "microseconds": self.microseconds,
        }

    def zone(self, Images images, unsigned int number):
        """Return how many answers came from the zone with this number, and since when they are counted: 0, 0 if they are not yet."""
        if number >= self.room or self.zones[number].mark != _mark(images, number):
            return 0, 0
        return self.zones[number].answers, self.zones[number].since


def busiest_zones(list workers, dict others, Images images, unsigned int most):
    """Return the numbers of the zones with the most answers, and how many, the most first.

    Args:
        workers: the Counters of each.
        others: answers that somebody else gave, by the zone's number.
        images: whose numbers these are; what a worker still counts for a zone that is not there any more is left out.
        most: how many are wanted, at least 1.
    """
    cdef Counters counters
    cdef unsigned long long answers, least = 0
    cdef unsigned int number
    found = []
    for number in range(images.zones):
        answers = others.get(number, 0) if others else 0
        for counters in workers:
            if number < counters.room and counters.zones[number].mark == _mark(images, number):
                answers += counters.zones[number].answers
        if answers > least:
            heapq.heappush(found, (answers, number))
            if len(found) > most:
                heapq.heappop(found)
                least = found[0][0]
    return [(place, count) for count, place in sorted(found, reverse=True)]


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
        self.counters = Counters(images)
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

    def forgive(self, unsigned int replies):
        """Do not count so many replies against anybody: their questions waited while nobody served. Call it before ``run``."""
        self.limit.forgiven = replies

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
        cdef int received, i, length, ready, others, stands
        cdef int handed[64]
        cdef mailname_ahead ahead[64]
        cdef int verdict, verified, opt_size, plain
        cdef unsigned int wall
        cdef double now
        cdef unsigned long long began
        if batch == NULL:
            raise MemoryError
        mailname_prepare(batch, self.with_source)
        mailname_wait_at_most(self.fd, 200)
        mailname_short_turns()
        try:
            with nogil:
                while not self.stopped:
                    received = mailname_receive(self.fd, batch)
                    if self.changed:
                        with gil:
                            self.changed = 0
                            images = self.images
                            counters.follow(images)
                    self.turns += 1
                    if received <= 0:
                        continue
                    began = mailname_microseconds()
                    ready = 0
                    others = 0
                    stands = 0
                    now = mailname_now()
                    wall = <unsigned int>time(NULL)
                    if received >= MAILNAME_WORTH_IT:
                        for i in range(received):
                            mailname_look_ahead(
                                images.slots, images.mask, images.blocks, batch.question[i], batch.in_[i].msg_len, &ahead[i])
                        mailname_fetch_ahead(ahead, received)
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
                            counters.clients.add(mailname_network(mailname_sender(batch, i)), 1, wall)
                            verdict = MAILNAME_SEND
                            if not verified:
                                verdict = mailname_verdict(&self.limit, mailname_sender(batch, i), batch.answer[i] + 1232, now)
                            if verdict != MAILNAME_SEND:
                                counters.limited += 1
                                if verdict != MAILNAME_SLIP:
                                    continue
                                length = mailname_truncated(batch.answer[i], length, opt_size)
                            counters.answered(batch.question[i], batch.answer[i], mailname_sender(batch, i))
                            mailname_answered(batch, i, ready, length)
                            ready += 1
                            if received < MAILNAME_WORTH_IT:
                                counters.names.add(batch.question[i], 1, wall)
                            else:
                                stands = i
                        elif length < 0:
                            handed[others] = i
                            others += 1
                    if ready:
                        mailname_send(self.fd, batch, ready)
                        # Under load the last answer's name stands for its batch: the one that it is, is the clients' chance.
                        if received >= MAILNAME_WORTH_IT:
                            counters.names.add(batch.question[stands], ready, wall)
                        began = mailname_microseconds() - began
                        counters.took[mailname_bits(began)] += ready
                        counters.microseconds += began * ready
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


cdef tuple _taken(mailname_batch *batch, int i):
    control = b""
    if batch.in_[i].msg_hdr.msg_controllen:
        control = (<unsigned char *>batch.in_[i].msg_hdr.msg_control)[: batch.in_[i].msg_hdr.msg_controllen]
    return (
        batch.question[i][: batch.in_[i].msg_len],
        mailname_sender(batch, i)[: batch.in_[i].msg_hdr.msg_namelen],
        control,
    )
