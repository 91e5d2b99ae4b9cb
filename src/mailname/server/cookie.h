/* DNS cookies, as wire/cookie.py makes them (RFC 7873, RFC 9018), for the answers that never see Python. */
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { MAILNAME_COOKIE = 28 }; /* octets of the option in an answer: code, length, client's half, server's half */

static uint64_t mailname_rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static void mailname_sip_round(uint64_t v[4]) {
    v[0] += v[1]; v[1] = mailname_rotate(v[1], 13); v[1] ^= v[0]; v[0] = mailname_rotate(v[0], 32);
    v[2] += v[3]; v[3] = mailname_rotate(v[3], 16); v[3] ^= v[2];
    v[0] += v[3]; v[3] = mailname_rotate(v[3], 21); v[3] ^= v[0];
    v[2] += v[1]; v[1] = mailname_rotate(v[1], 17); v[1] ^= v[2]; v[2] = mailname_rotate(v[2], 32);
}

static uint64_t mailname_little_endian(const unsigned char *p) {
    uint64_t x = 0;
    for (int i = 7; i >= 0; i--) x = x << 8 | p[i];
    return x;
}

/* SipHash-2-4 of a message whose length is at most 32 octets. */
static void mailname_siphash(const unsigned char *key, const unsigned char *message, int length, unsigned char *out) {
    uint64_t k0 = mailname_little_endian(key), k1 = mailname_little_endian(key + 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL, k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL};
    unsigned char last[8] = {0};
    int whole = length / 8 * 8;
    for (int at = 0; at < whole; at += 8) {
        uint64_t m = mailname_little_endian(message + at);
        v[3] ^= m;
        mailname_sip_round(v); mailname_sip_round(v);
        v[0] ^= m;
    }
    memcpy(last, message + whole, length - whole);
    last[7] = length;
    uint64_t m = mailname_little_endian(last);
    v[3] ^= m;
    mailname_sip_round(v); mailname_sip_round(v);
    v[0] ^= m;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) mailname_sip_round(v);
    uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
    for (int i = 0; i < 8; i++) out[i] = hash >> (8 * i);
}

static void mailname_seal(const unsigned char *client_half, const unsigned char *head, const unsigned char *sender,
                          const unsigned char *secret, unsigned char *hash) {
    unsigned char message[32];
    int v4 = ((const struct sockaddr *)sender)->sa_family == AF_INET, size = v4 ? 4 : 16;
    memcpy(message, client_half, 8);
    memcpy(message + 8, head, 8);
    memcpy(message + 16, v4 ? (const void *)&((const struct sockaddr_in *)sender)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)sender)->sin6_addr, size);
    mailname_siphash(secret, message, 16 + size, hash);
}

/* Finds the COOKIE option of a plain question, which the caller knows to be whole: its data and their length, or NULL. */
static const unsigned char *mailname_find_cookie(const unsigned char *question, int size, int *length) {
    int at = 12;
    if (!question[11]) return NULL;
    while (question[at]) at += question[at] + 1;
    at += 5 + 11;
    while (at + 4 <= size) {
        int code = question[at] << 8 | question[at + 1];
        *length = question[at + 2] << 8 | question[at + 3];
        if (code == 10) return question + at + 4;
        at += 4 + *length;
    }
    return NULL;
}

/* Writes the COOKIE option of the answer (28 octets). Returns 1 when the client has shown a good one, 0 when not, -1 when what
   it sent is malformed. A cookie of half an hour or more is replaced by a new one (RFC 9018 section 4.3). */
static int mailname_answer_cookie(const unsigned char *cookie, int length, const unsigned char *sender,
                                  const unsigned char *secret, uint32_t now, unsigned char *option) {
    unsigned char hash[8];
    int good = 0;
    if (length < 8 || (length > 8 && (length < 16 || length > 40))) return -1;
    memcpy(option, "\0\12\0\30", 4);
    memcpy(option + 4, cookie, 8);
    if (length == 24 && cookie[8] == 1) {
        const unsigned char *head = cookie + 8;
        int32_t age = (int32_t)(now - ((uint32_t)head[4] << 24 | head[5] << 16 | head[6] << 8 | head[7]));
        if (age >= -300 && age <= 3600) {
            unsigned char differs = 0;
            mailname_seal(cookie, head, sender, secret, hash);
            for (int i = 0; i < 8; i++) differs |= hash[i] ^ head[8 + i];
            good = !differs;
            if (good && age < 1800) {
                memcpy(option + 12, head, 16);
                return 1;
            }
        }
    }
    unsigned char *head = option + 12;
    memset(head, 0, 8);
    head[0] = 1;
    for (int i = 0; i < 4; i++) head[4 + i] = now >> (24 - 8 * i);
    mailname_seal(cookie, head, sender, secret, head + 8);
    return good;
}
