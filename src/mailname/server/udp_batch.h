/* Datagrams in batches: one system call takes up to 64 questions, one sends their answers. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/time.h>
#include <netinet/in.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAILNAME_BATCH 64
#define MAILNAME_QUESTION 4096
#define MAILNAME_ANSWER 1472
#define MAILNAME_CONTROL 64
#define MAILNAME_TURN 100000 /* ns, the shortest that Linux grants */

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

/* Asks for short turns of this thread, so that one that wakes for a question goes before a thread that works for long (Linux
   6.12 and later, see sched_setattr(2)). A kernel that knows no such wish answers as before. */
static void mailname_short_turns(void) {
#ifdef SYS_sched_setattr
    struct {
        unsigned int size, policy;
        unsigned long long flags;
        int nice;
        unsigned int priority;
        unsigned long long runtime, deadline, period;
    } wish = {0};

    if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) == 0 && wish.policy == 0) {
        wish.size = sizeof wish;
        wish.runtime = MAILNAME_TURN;
        syscall(SYS_sched_setattr, 0, &wish, 0);
    }
#endif
}

/* Microseconds of a clock that only goes on. */
static unsigned long long mailname_microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

/* In which place of a histogram a time is counted: what takes less than 2^N microseconds is in N, as ``bit_length`` has it. */
static int mailname_bits(unsigned long long microseconds) {
    int bits = 0;
    while (microseconds >> bits && bits < 24) bits++;
    return bits;
}

static const unsigned char *mailname_sender(mailname_batch *b, int i) { return (const unsigned char *)&b->from[i]; }

/* What one worker has answered for the zone with some number, since when, and which zone that is: numbers are given again. */
typedef struct {
    unsigned long long answers;
    unsigned int since, mark;
} mailname_zone;

static int mailname_is_ipv4(const unsigned char *sender) {
    if (((const struct sockaddr *)sender)->sa_family == AF_INET) return 1;
    return IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)sender)->sin6_addr);
}

/* The key of a sender's network in a ClientSketch: 24 bits of IPv4, 48 of IPv6. */
static unsigned long long mailname_network(const unsigned char *sender) {
    const unsigned char *a;
    if (((const struct sockaddr *)sender)->sa_family == AF_INET)
        a = (const unsigned char *)&((const struct sockaddr_in *)sender)->sin_addr;
    else {
        a = ((const struct sockaddr_in6 *)sender)->sin6_addr.s6_addr;
        if (!mailname_is_ipv4(sender))
            return 1ULL << 51 | (unsigned long long)a[0] << 40 | (unsigned long long)a[1] << 32 | (unsigned long long)a[2] << 24
                | a[3] << 16 | a[4] << 8 | a[5];
        a += 12;
    }
    return 1ULL << 50 | a[0] << 16 | a[1] << 8 | a[2];
}
