/* Fetching ahead: where names are many, an answer waits for memory four times, slot, node, RRset and body, one after the other. For a
   batch of questions the waits overlap. Nothing is decided here: a wrong guess costs a useless fetch, and respond_plain does all
   again. Fields are where zone/image_layout.py puts them; of a question nothing is read behind its end. */
#include <string.h>

#define MAILNAME_WORTH_IT 4    /* questions in a batch */

typedef struct {
    const unsigned char *image, *at;    /* the zone's, and what was fetched last; none where nothing is expected */
    unsigned int hash;
} mailname_ahead;

static unsigned int mailname_u32(const unsigned char *at) {
    unsigned int value;
    memcpy(&value, at, 4);
    return value;
}

static unsigned int mailname_zone_ahead(const unsigned int *slots, unsigned int mask, unsigned int hash) {
    for (unsigned int at = hash & mask; slots[2 * at + 1]; at = (at + 1) & mask)
        if (slots[2 * at] == hash) return slots[2 * at + 1];
    return 0;
}

/* Hashes a question's name as name_hash does, and fetches its slot in the zone that is nearest above it. */
static void mailname_look_ahead(
    const unsigned int *slots, unsigned int mask, unsigned char **blocks, const unsigned char *question, int size, mailname_ahead *ahead)
{
    int starts[128], labels = 0, end = 12;
    unsigned int hash = 0x811C9DC5u * 0x01000193u, zone = mailname_zone_ahead(slots, mask, hash), nearer;
    ahead->at = NULL;
    while (end < size && question[end]) {
        if (question[end] > 63 || labels == 127) return;
        starts[labels++] = end;
        end += question[end] + 1;
    }
    if (end >= size) return;
    for (int i = end - 1; i >= 12; i--) {
        unsigned char octet = question[i];
        hash = (hash ^ (octet - 65u < 26u ? octet + 32u : octet)) * 0x01000193u;
        if (i == starts[labels - 1]) {
            labels--;
            nearer = mailname_zone_ahead(slots, mask, hash);
            if (nearer) zone = nearer;
        }
    }
    if (!zone || !(ahead->image = blocks[zone - 1])) return;
    ahead->hash = hash;
    ahead->at = ahead->image + mailname_u32(ahead->image + 24) + 8ULL * (hash & mailname_u32(ahead->image + 20));
    __builtin_prefetch(ahead->at);
}

static void mailname_fetch_ahead(mailname_ahead *ahead, int count) {
    mailname_ahead *one, *end = ahead + count;
    for (one = ahead; one < end; one++) {    /* nodes */
        if (!one->at) continue;
        if (mailname_u32(one->at) != one->hash || !mailname_u32(one->at + 4)) {    /* no such name, or another in its place */
            one->at = NULL;
            continue;
        }
        one->at = one->image + mailname_u32(one->image + 28) + 32ULL * (mailname_u32(one->at + 4) - 1);
        __builtin_prefetch(one->at);
    }
    for (one = ahead; one < end; one++) {    /* their names and RRsets */
        if (!one->at) continue;
        __builtin_prefetch(one->image + mailname_u32(one->image + 40) + mailname_u32(one->at));
        if (one->at[24] || one->at[25]) {
            one->at = one->image + mailname_u32(one->image + 32) + 40ULL * mailname_u32(one->at + 20);
            __builtin_prefetch(one->at);
        } else one->at = NULL;    /* an empty non-terminal */
    }
    for (one = ahead; one < end; one++)    /* the first RRset's body; the others lie behind it */
        if (one->at) __builtin_prefetch(one->image + mailname_u32(one->image + 40) + mailname_u32(one->at + 12));
}
