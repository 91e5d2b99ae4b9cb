/* What folder_scan.pyx asks the system about the files of a folder. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What changes whenever a file does: time of change (8 octets), size (4), inode (4), little-endian. */
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

/* Reads a file of plain ASCII that has exactly this size; 0 when it was one. There is room for one octet more. */
static int mailname_read(int folder, const char *name, unsigned char *text, unsigned int size)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    unsigned int taken = 0, i;
    unsigned char above = 0;
    ssize_t got;

    if (file < 0)
        return -1;
    while (taken <= size) {
        got = read(file, text + taken, size + 1 - taken);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        taken += (unsigned int)got;
    }
    close(file);
    if (taken != size)
        return -1;
    for (i = 0; i < size; i++)
        above |= text[i];
    return above >> 7;
}
