/* A load generator for authoritative name servers: keeps a window of questions on the way, and counts the answers.
 *
 * usage: blast PORT FILE SECONDS WINDOW
 * FILE holds questions, each behind its length in two octets (most significant first); they are asked in turn, again and again,
 * from a place that differs in each run, so that a server that remembers questions gains only what their repetition gives it.
 * They leave at least 32 at a time, so that the generator itself is not the bottleneck sooner than it must.
 * Prints: answers, seconds, questions lost, its own CPU seconds, and how many of the answers were none that an authoritative
 * server gives to a good question: no response, truncated, or another rcode than NOERROR and NXDOMAIN. Talks to 127.0.0.1 alone.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, LARGEST = 4096 };

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: blast PORT FILE SECONDS WINDOW\n");
        return 2;
    }
    FILE *file = fopen(argv[2], "rb");
    if (!file) {
        perror(argv[2]);
        return 2;
    }
    size_t room = 1024, count = 0;
    struct iovec *questions = malloc(room * sizeof *questions);
    unsigned char length[2];
    while (fread(length, 1, 2, file) == 2) {
        size_t octets = (size_t)length[0] << 8 | length[1];
        if (count == room) questions = realloc(questions, (room *= 2) * sizeof *questions);
        questions[count].iov_base = malloc(octets);
        questions[count].iov_len = octets;
        if (fread(questions[count].iov_base, 1, octets, file) != octets) return 2;
        count++;
    }
    fclose(file);
    if (!count) return 2;

    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    struct timeval patience = {.tv_usec = 100000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&server, sizeof server)) {
        perror("connect");
        return 2;
    }
    static unsigned char answers[BATCH][LARGEST];
    struct mmsghdr out[BATCH], in[BATCH];
    struct iovec in_iov[BATCH];
    memset(out, 0, sizeof out);
    memset(in, 0, sizeof in);
    for (int i = 0; i < BATCH; i++) {
        in_iov[i] = (struct iovec){answers[i], LARGEST};
        in[i].msg_hdr.msg_iov = &in_iov[i];
        in[i].msg_hdr.msg_iovlen = 1;
        out[i].msg_hdr.msg_iovlen = 1;
    }
    long window = atol(argv[4]), refill = window < BATCH ? 1 : BATCH / 2, on_the_way = 0, lost = 0;
    unsigned long answered = 0, odd = 0;
    size_t next = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    next = (size_t)(now.tv_nsec / 1000) % count;
    double start = seconds_now(), end = start + atof(argv[3]);
    while (seconds_now() < end) {
        while (on_the_way + refill <= window) {
            int n = 0;
            for (; n < BATCH && on_the_way + n < window; n++) {
                out[n].msg_hdr.msg_iov = &questions[next];
                next = next + 1 == count ? 0 : next + 1;
            }
            int sent = sendmmsg(fd, out, n, 0);
            if (sent <= 0) break;
            on_the_way += sent;
        }
        int got = recvmmsg(fd, in, BATCH, MSG_WAITFORONE, NULL);
        if (got <= 0) {
            lost += on_the_way; /* nothing came for a tenth of a second: what is out is gone */
            on_the_way = 0;
            continue;
        }
        for (int i = 0; i < got; i++) {
            int rcode = answers[i][3] & 15;
            odd += in[i].msg_len < 12 || (answers[i][2] & 0x82) != 0x80 || (rcode != 0 && rcode != 3);
        }
        answered += got;
        on_the_way = got < on_the_way ? on_the_way - got : 0;
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%lu %.6f %ld %.6f %lu\n", answered, seconds_now() - start, lost,
           used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6, odd);
    return 0;
}
