# cython: language_level=3
"""One UDP worker: takes questions in batches, answers the plain ones without the interpreter, hands the others to Python.

Only built where a compiler was at hand; without it ``udp.py`` answers by itself.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
from mailname.answer.images cimport Images
from mailname.answer.plain cimport respond_plain

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <sys/socket.h>
    #include <sys/uio.h>
    #include <sys/time.h>
    #include <netinet/in.h>
    #include <errno.h>
    #include <string.h>

    #define MAILNAME_BATCH 64
    #define MAILNAME_QUESTION 4096
    #define MAILNAME_ANSWER 1472
    #define MAILNAME_CONTROL 64

    typedef struct {
        struct mmsghdr in[MAILNAME_BATCH], out[MAILNAME_BATCH];
        struct iovec in_iov[MAILNAME_BATCH], out_iov[MAILNAME_BATCH];
        struct sockaddr_storage from[MAILNAME_BATCH];
        unsigned char question[MAILNAME_BATCH][MAILNAME_QUESTION];
        unsigned char answer[MAILNAME_BATCH][MAILNAME_ANSWER];
        unsigned char control[MAILNAME_BATCH][MAILNAME_CONTROL];
        int with_source;
    } mailname_batch;

    static void mailname_prepare(mailname_batch *b, int with_source) {
        memset(b->in, 0, sizeof b->in);
        memset(b->out, 0, sizeof b->out);
        b->with_source = with_source;
        for (int i = 0; i < MAILNAME_BATCH; i++) {
            b->in_iov[i].iov_base = b->question[i];
            b->in_iov[i].iov_len = MAILNAME_QUESTION;
            b->in[i].msg_hdr.msg_iov = &b->in_iov[i];
            b->in[i].msg_hdr.msg_iovlen = 1;
            b->in[i].msg_hdr.msg_name = &b->from[i];
            b->out[i].msg_hdr.msg_iov = &b->out_iov[i];
            b->out[i].msg_hdr.msg_iovlen = 1;
        }
    }

    static int mailname_receive(int fd, mailname_batch *b) {
        for (int i = 0; i < MAILNAME_BATCH; i++) {
            b->in[i].msg_hdr.msg_namelen = sizeof b->from[i];
            b->in[i].msg_hdr.msg_control = b->with_source ? b->control[i] : NULL;
            b->in[i].msg_hdr.msg_controllen = b->with_source ? MAILNAME_CONTROL : 0;
        }
        return recvmmsg(fd, b->in, MAILNAME_BATCH, MSG_WAITFORONE, NULL);
    }

    /* Behind a wildcard address the answer leaves from the address that was asked; the interface is the system's choice. */
    static void mailname_from_same(struct msghdr *received) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(received); c; c = CMSG_NXTHDR(received, c)) {
            if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
                ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
        }
    }

    static void mailname_answered(mailname_batch *b, int question, int place, int length) {
        struct msghdr *received = &b->in[question].msg_hdr, *sent = &b->out[place].msg_hdr;
        b->out_iov[place].iov_base = b->answer[question];
        b->out_iov[place].iov_len = length;
        sent->msg_name = received->msg_name;
        sent->msg_namelen = received->msg_namelen;
        sent->msg_control = NULL;
        sent->msg_controllen = 0;
        if (b->with_source && received->msg_controllen) {
            mailname_from_same(received);
            sent->msg_control = received->msg_control;
            sent->msg_controllen = received->msg_controllen;
        }
    }

    static void mailname_send(int fd, mailname_batch *b, int count) {
        int sent = 0;
        while (sent < count) {
            int n = sendmmsg(fd, b->out + sent, count - sent, 0);
            if (n > 0) sent += n;
            else if (errno != EINTR) sent++;    /* one that cannot be sent is lost, as the network might lose it */
        }
    }

    static int mailname_wait_at_most(int fd, int milliseconds) {
        struct timeval patience = {milliseconds / 1000, (milliseconds % 1000) * 1000};
        return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    """
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


cdef extern from *:
    """
    static const unsigned char *mailname_sender(mailname_batch *b, int i) { return (const unsigned char *)&b->from[i]; }
    """
    const unsigned char *mailname_sender(mailname_batch *, int) nogil


cdef class Counters:
    """What one worker has seen. Written by the worker alone, read by anybody at any time."""

    cdef unsigned long long received, plain, handed_on, dropped
    cdef unsigned long long rcodes[16]
    cdef unsigned long long types[256]

    def as_dict(self):
        """Return the figures: questions received; answered plainly by rcode and by type; handed on; dropped."""
        return {
            "received": self.received,
            "plain": self.plain,
            "handed_on": self.handed_on,
            "dropped": self.dropped,
            "rcodes": {rcode: self.rcodes[rcode] for rcode in range(16) if self.rcodes[rcode]},
            "types": {rdtype: self.types[rdtype] for rdtype in range(256) if self.types[rdtype]},
        }


cdef class Worker:
    """Answers at one socket until it is stopped; ``run`` is meant for a thread of its own.

    Args:
        fd: a bound UDP socket; it is set to wait for at most 200 ms at a time.
        images: what to answer from; ``serve`` replaces it.
        with_source: the socket is bound to a wildcard address and gives packet info.
        hand_on: called with a list of (question, sender's sockaddr, ancillary octets) that are not plain.
    """

    cdef int fd
    cdef int with_source
    cdef volatile int stopped
    cdef volatile int changed
    cdef Images images
    cdef object hand_on
    cdef readonly Counters counters

    def __init__(self, int fd, Images images, bint with_source, hand_on):
        self.fd = fd
        self.with_source = with_source
        self.images = images
        self.hand_on = hand_on
        self.counters = Counters()
        self.stopped = 0
        self.changed = 0

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
        cdef unsigned int rdtype
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
                    if received <= 0:
                        continue
                    ready = 0
                    others = 0
                    for i in range(received):
                        length = respond_plain(images, batch.question[i], batch.in_[i].msg_len, batch.answer[i])
                        if length > 0:
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


cdef tuple _taken(mailname_batch *batch, int i):
    control = b""
    if batch.in_[i].msg_hdr.msg_controllen:
        control = (<unsigned char *>batch.in_[i].msg_hdr.msg_control)[: batch.in_[i].msg_hdr.msg_controllen]
    return (
        batch.question[i][: batch.in_[i].msg_len],
        mailname_sender(batch, i)[: batch.in_[i].msg_hdr.msg_namelen],
        control,
    )
