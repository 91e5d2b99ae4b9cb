/* Limiting of rates, as answer/rate_limit.py does it, for the answers that never see Python. Four places per key; the one that
   was quiet for longest gives way. The key of the hash is secret, so that nobody can aim at a place. */
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <netinet/in.h>

typedef struct {
    unsigned long long tag;
    float balance;
    unsigned int over;
    double stamp;
} mailname_count;

typedef struct {
    mailname_count *places;
    unsigned int sets;
    float rate, lowest;
    unsigned int slip;
    unsigned int forgiven;
    int prefix4, prefix6;
    unsigned long long secret[2];
    int exempts;
    struct { int family, bits; unsigned char octets[16]; } exempt[32];
} mailname_limit;

enum { MAILNAME_SEND, MAILNAME_SLIP, MAILNAME_DROP };

static double mailname_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static int mailname_same_bits(const unsigned char *one, const unsigned char *other, int bits) {
    if (memcmp(one, other, bits / 8)) return 0;
    return bits % 8 == 0 || ((one[bits / 8] ^ other[bits / 8]) >> (8 - bits % 8)) == 0;
}

static unsigned long long mailname_mix(unsigned long long x) {
    x ^= x >> 30; x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27; x *= 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

static int mailname_verdict(mailname_limit *limit, const unsigned char *sender, const unsigned char *notes, double now) {
    if (!limit->places) return MAILNAME_SEND;
    int family = ((const struct sockaddr *)sender)->sa_family;
    const unsigned char *address = family == AF_INET
        ? (const unsigned char *)&((const struct sockaddr_in *)sender)->sin_addr
        : (const unsigned char *)&((const struct sockaddr_in6 *)sender)->sin6_addr;
    for (int i = 0; i < limit->exempts; i++)
        if (limit->exempt[i].family == family && mailname_same_bits(address, limit->exempt[i].octets, limit->exempt[i].bits))
            return MAILNAME_SEND;
    if (limit->forgiven) {
        limit->forgiven--;
        return MAILNAME_SEND;
    }
    int bits = family == AF_INET ? limit->prefix4 : limit->prefix6;
    unsigned char network[16] = {0};
    memcpy(network, address, (bits + 7) / 8);
    if (bits % 8) network[bits / 8] &= 0xff << (8 - bits % 8);
    unsigned long long half[2], about = 0;
    memcpy(half, network, 16);
    memcpy(&about, notes, 5);
    unsigned long long tag = mailname_mix(half[0] ^ limit->secret[0]) ^ mailname_mix(half[1] + limit->secret[1]);
    tag = mailname_mix(tag ^ about ^ (unsigned long long)family << 56) | 1;
    mailname_count *first = limit->places + tag % limit->sets * 4, *place = first;
    for (int i = 0; i < 4; i++) {
        if (first[i].tag == tag) { place = first + i; break; }
        if (first[i].stamp < place->stamp) place = first + i;
    }
    if (place->tag != tag) *place = (mailname_count){tag, limit->rate, 0, now};
    float balance = place->balance + (float)(now - place->stamp) * limit->rate;
    if (balance > limit->rate) balance = limit->rate;
    balance -= 1;
    if (balance < limit->lowest) balance = limit->lowest;
    place->balance = balance;
    place->stamp = now;
    if (balance >= 0) return MAILNAME_SEND;
    place->over++;
    return limit->slip && place->over % limit->slip == 0 ? MAILNAME_SLIP : MAILNAME_DROP;
}

/* Makes an answer "ask by TCP": header and question alone, and the OPT record that ends it if it has one. */
static int mailname_truncated(unsigned char *answer, int length, int opt_size) {
    int at = 12;
    while (answer[at]) at += answer[at] + 1;
    at += 5;
    memmove(answer + at, answer + length - opt_size, opt_size);
    at += opt_size;
    answer[2] = (answer[2] & ~4) | 2;   /* not authoritative, no error: it says nothing but TC */
    answer[3] = 0;
    memset(answer + 6, 0, 6);
    answer[11] = opt_size > 0;
    return at;
}
