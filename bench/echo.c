/* The physical limit: a UDP server that sends each question back with the QR bit set, and does nothing else.
 *
 * usage: echo PORT
 * Takes up to 64 datagrams with one system call and sends them back with another, as a name server at its best would. On 127.0.0.1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, LARGEST = 4096 };

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: echo PORT\n");
        return 2;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)&at, sizeof at)) {
        perror("bind");
        return 2;
    }
    static unsigned char octets[BATCH][LARGEST];
    static struct sockaddr_in from[BATCH];
    struct mmsghdr in[BATCH], out[BATCH];
    struct iovec in_iov[BATCH], out_iov[BATCH];
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    for (int i = 0; i < BATCH; i++) {
        in_iov[i] = (struct iovec){octets[i], LARGEST};
        out_iov[i].iov_base = octets[i];
        in[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_iov = &in_iov[i], .msg_iovlen = 1};
        out[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &out_iov[i], .msg_iovlen = 1};
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++) in[i].msg_hdr.msg_namelen = sizeof from[i];
        int got = recvmmsg(fd, in, BATCH, MSG_WAITFORONE, NULL), sent = 0;
        for (int i = 0; i < got; i++) {
            octets[i][2] |= 0x80;
            out_iov[i].iov_len = in[i].msg_len;
        }
        while (sent < got) {
            int n = sendmmsg(fd, out + sent, got - sent, 0);
            sent += n > 0 ? n : 1;
        }
    }
}
