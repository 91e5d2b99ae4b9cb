/* Asks one question after another at a steady pace, and tells how long each answer took.
 *
 * usage: pace PORT FILE MICROSECONDS SECONDS
 * FILE is as for blast. Prints one line for each question: when it was asked (nanoseconds of CLOCK_MONOTONIC), how many
 * nanoseconds its answer took, -1 where none came within a second, and for how many of these this program itself stood still at a
 * time: the machine may run something else. Between questions it sleeps; for an answer it waits by polling, so that the figure is
 * the server's and not this program's waking up. Talks to 127.0.0.1 alone.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { MOST = 1 << 16, LONGEST = 512 };

static long long nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: pace PORT FILE MICROSECONDS SECONDS\n");
        return 2;
    }
    FILE *file = fopen(argv[2], "rb");
    if (!file) {
        perror(argv[2]);
        return 2;
    }
    static unsigned char questions[MOST][LONGEST], answer[4096];
    static size_t lengths[MOST];
    unsigned char length[2];
    size_t count = 0;
    while (count < MOST && fread(length, 1, 2, file) == 2) {
        lengths[count] = (size_t)length[0] << 8 | length[1];
        if (lengths[count] > LONGEST || fread(questions[count], 1, lengths[count], file) != lengths[count]) return 2;
        count++;
    }
    fclose(file);
    if (!count) return 2;

    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&server, sizeof server)) {
        perror("connect");
        return 2;
    }
    long long pace = atoll(argv[3]) * 1000, start = nanoseconds(), end = start + (long long)(atof(argv[4]) * 1e9), due = start;
    unsigned short id = 0;
    for (size_t next = 0; nanoseconds() < end; next = next + 1 == count ? 0 : next + 1) {
        struct timespec until = {due / 1000000000LL, due % 1000000000LL};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
        questions[next][0] = ++id >> 8;
        questions[next][1] = id & 0xFF;
        long long asked = nanoseconds(), took = -1, looked = asked, stood = 0;
        if (send(fd, questions[next], lengths[next], 0) < 0) continue;
        for (long long now; (now = nanoseconds()) - asked < 1000000000LL; looked = now) {
            if (now - looked > stood) stood = now - looked;
            ssize_t got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
            if (got >= 12 && answer[0] == id >> 8 && answer[1] == (id & 0xFF)) {
                now = nanoseconds();
                if (now - looked > stood) stood = now - looked;
                took = now - asked;
                break;
            }
        }
        printf("%lld %lld %lld\n", asked, took, stood);
        due = asked + pace;
    }
    return 0;
}
