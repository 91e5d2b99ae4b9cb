/* What changes whenever a file does: time of change (8 octets), size (4), inode (4), little-endian. For folder_scan.pyx. */

#include <sys/stat.h>

static int mailname_stamp(int folder, const char *name, unsigned char *stamp)
{
    struct stat seen;
    unsigned long long changed;
    int i;

    if (fstatat(folder, name, &seen, 0) || !S_ISREG(seen.st_mode))
        return -1;
    changed = (unsigned long long)seen.st_mtim.tv_sec * 1000000000ull + (unsigned long long)seen.st_mtim.tv_nsec;
    for (i = 0; i < 8; i++)
        stamp[i] = (unsigned char)(changed >> (8 * i));
    for (i = 0; i < 4; i++) {
        stamp[8 + i] = (unsigned char)((unsigned long long)seen.st_size >> (8 * i));
        stamp[12 + i] = (unsigned char)((unsigned long long)seen.st_ino >> (8 * i));
    }
    return 0;
}
