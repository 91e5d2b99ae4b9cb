/* Put before a program by LD_PRELOAD: every call that changes something below one folder is counted, named in memory that is
 * shared with the parent, and at a chosen one the process is killed, the write cut short, or an error given back. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { KILL = 1, TORN, FAIL_ONCE, FAIL_ON };
enum { MOST = 4096, LONGEST = 240 };

struct step {
  char call[16];
  char path[LONGEST];
  char to[LONGEST];
  unsigned long inode;
  long size;  /* of the file, before the step */
  long saved; /* of a rename: the number of the link to what was there before, in the folder beside; 0 for nothing */
};

struct shared {
  volatile long count;   /* of steps so far */
  long at;      /* the occurrence at which something happens; 0 for never */
  volatile long met;     /* occurrences so far of what is looked for */
  long mode;
  long error;
  volatile long armed;
  char folder[LONGEST];
  char call[16];         /* looked for; empty for every step */
  char where[LONGEST];   /* a pattern for its path, behind the folder */
  char saved[LONGEST];   /* a folder outside, for links to what renames replace; may be empty */
  struct step steps[MOST];
};

static struct shared *shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void make_shared(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) abort();
  /* A program that we start, rather than fork, is told by its environment: "at mode error call where folder". */
  const char *told = getenv("DISK_FAULTS");
  if (told && sscanf(told, "%ld %ld %ld %15s %239s %239s", &shared->at, &shared->mode, &shared->error, shared->call, shared->where,
                     shared->folder) == 6)
    shared->armed = 1;
}

struct shared *disk_faults(void) { return shared; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_watched(const char *path) {
  size_t length = strlen(shared->folder);
  return length && strncmp(path, shared->folder, length) == 0 && (path[length] == '/' || !path[length]);
}

static int path_at(int folder, const char *path, char *found) {
  if (path[0] == '/' || folder == AT_FDCWD) {
    if (path[0] == '/') return snprintf(found, LONGEST, "%s", path) < LONGEST;
    char here[LONGEST];
    return getcwd(here, sizeof here) && snprintf(found, LONGEST, "%s/%s", here, path) < LONGEST;
  }
  char link[64], base[LONGEST];
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, base, sizeof base - 1);
  if (length < 0) return 0;
  base[length] = 0;
  return snprintf(found, LONGEST, "%s/%s", base, path) < LONGEST;
}

static int path_of(int handle, char *found) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
  ssize_t length = readlink(link, found, LONGEST - 1);
  if (length < 0) return 0;
  found[length] = 0;
  return 1;
}

enum verdict { GO_ON, FAIL, HALF };

/* Count a step and say what becomes of it. Kills the process itself where it is to die before the step. */
static enum verdict step(const char *call, const char *path, const char *to, int can_be_cut) {
  if (!shared->armed || !is_watched(path)) return GO_ON;
  pthread_mutex_lock(&lock);
  long number = shared->count + 1;
  if (number <= MOST) {
    struct step *one = &shared->steps[number - 1];
    struct stat seen;
    snprintf(one->call, sizeof one->call, "%s", call);
    snprintf(one->path, LONGEST, "%s", path);
    snprintf(one->to, LONGEST, "%s", to ? to : "");
    int there = stat(path, &seen) == 0;
    one->inode = there ? seen.st_ino : 0;
    one->size = there ? seen.st_size : 0;
    one->saved = 0;
    if (to && shared->saved[0] && access(to, F_OK) == 0) {
      char kept[2 * LONGEST];
      snprintf(kept, sizeof kept, "%s/%ld", shared->saved, number);
      if (REAL(link)(to, kept) == 0) one->saved = number;
    }
  }
  int meant = !shared->call[0] || (!strcmp(call, shared->call) && !fnmatch(shared->where, path + strlen(shared->folder), 0));
  if (meant) shared->met++;
  int now = meant && shared->met == shared->at;
  if (now && (shared->mode == KILL || (shared->mode == TORN && !can_be_cut))) kill(getpid(), SIGKILL);
  shared->count = number;
  enum verdict verdict = GO_ON;
  if (now && shared->mode == TORN) verdict = HALF;
  if ((now && shared->mode == FAIL_ONCE) || (shared->at && shared->met >= shared->at && shared->mode == FAIL_ON)) verdict = FAIL;
  pthread_mutex_unlock(&lock);
  return verdict;
}

#define REFUSED_IF(verdict) \
  if ((verdict) == FAIL) { errno = (int)shared->error; return -1; }

static ssize_t cut(int handle, const void *data, size_t size, off_t at) {
  if (at >= 0) (void)!REAL(pwrite)(handle, data, size / 2, at);
  else (void)!REAL(write)(handle, data, size / 2);
  kill(getpid(), SIGKILL);
  return -1;
}

#define WRITING(at) \
  char path[LONGEST]; \
  if (shared->armed && path_of(handle, path)) { \
    enum verdict verdict = step("write", path, NULL, 1); \
    REFUSED_IF(verdict) \
    if (verdict == HALF) return cut(handle, data, size, at); \
  }

ssize_t write(int handle, const void *data, size_t size) {
  WRITING(-1)
  return REAL(write)(handle, data, size);
}
ssize_t pwrite(int handle, const void *data, size_t size, off_t at) {
  WRITING(at)
  return REAL(pwrite)(handle, data, size, at);
}
ssize_t pwrite64(int handle, const void *data, size_t size, off64_t at) {
  WRITING(at)
  return REAL(pwrite64)(handle, data, size, at);
}
ssize_t writev(int handle, const struct iovec *parts, int count) {
  char path[LONGEST];
  if (shared->armed && count > 0 && path_of(handle, path)) {
    enum verdict verdict = step("write", path, NULL, 1);
    REFUSED_IF(verdict)
    if (verdict == HALF) return cut(handle, parts[0].iov_base, parts[0].iov_len, -1);
  }
  return REAL(writev)(handle, parts, count);
}

#define BY_HANDLE(call, ...) \
  char path[LONGEST]; \
  if (shared->armed && path_of(handle, path)) { \
    enum verdict verdict = step(call, path, NULL, 0); \
    REFUSED_IF(verdict) \
  } \
  return __VA_ARGS__;

int fsync(int handle) { BY_HANDLE("fsync", REAL(fsync)(handle)) }
int fdatasync(int handle) { BY_HANDLE("fsync", REAL(fdatasync)(handle)) }
/* Which files are on the disk is told by the fsync of each: the order for all of them is refused, and the program takes that way. */
int syncfs(int handle) {
  if (shared->armed) { errno = ENOSYS; return -1; }
  return REAL(syncfs)(handle);
}
int fchmod(int handle, mode_t mode) { BY_HANDLE("fchmod", REAL(fchmod)(handle, mode)) }
int fchown(int handle, uid_t owner, gid_t group) { BY_HANDLE("fchown", REAL(fchown)(handle, owner, group)) }
int ftruncate(int handle, off_t size) { BY_HANDLE("truncate", REAL(ftruncate)(handle, size)) }
int ftruncate64(int handle, off64_t size) { BY_HANDLE("truncate", REAL(ftruncate64)(handle, size)) }
int fallocate(int handle, int mode, off_t from, off_t size) { BY_HANDLE("truncate", REAL(fallocate)(handle, mode, from, size)) }
int posix_fallocate(int handle, off_t from, off_t size) { BY_HANDLE("truncate", REAL(posix_fallocate)(handle, from, size)) }

#define BY_PATH(call, folder, name, other_folder, other, ...) \
  char path[LONGEST], to[LONGEST]; \
  const char *second = other; \
  if (shared->armed && path_at(folder, name, path) && (!second || path_at(other_folder, second, to))) { \
    enum verdict verdict = step(call, path, second ? to : NULL, 0); \
    REFUSED_IF(verdict) \
  } \
  return __VA_ARGS__;

int rename(const char *from, const char *into) { BY_PATH("rename", AT_FDCWD, from, AT_FDCWD, into, REAL(rename)(from, into)) }
int renameat(int one, const char *from, int other_one, const char *into) {
  BY_PATH("rename", one, from, other_one, into, REAL(renameat)(one, from, other_one, into))
}
int link(const char *from, const char *into) { BY_PATH("link", AT_FDCWD, from, AT_FDCWD, into, REAL(link)(from, into)) }
int unlink(const char *name) { BY_PATH("unlink", AT_FDCWD, name, AT_FDCWD, NULL, REAL(unlink)(name)) }
int unlinkat(int folder, const char *name, int flags) {
  BY_PATH("unlink", folder, name, AT_FDCWD, NULL, REAL(unlinkat)(folder, name, flags))
}
int rmdir(const char *name) { BY_PATH("rmdir", AT_FDCWD, name, AT_FDCWD, NULL, REAL(rmdir)(name)) }
int mkdir(const char *name, mode_t mode) { BY_PATH("mkdir", AT_FDCWD, name, AT_FDCWD, NULL, REAL(mkdir)(name, mode)) }
int chmod(const char *name, mode_t mode) { BY_PATH("fchmod", AT_FDCWD, name, AT_FDCWD, NULL, REAL(chmod)(name, mode)) }
int truncate(const char *name, off_t size) { BY_PATH("truncate", AT_FDCWD, name, AT_FDCWD, NULL, REAL(truncate)(name, size)) }
int truncate64(const char *name, off64_t size) { BY_PATH("truncate", AT_FDCWD, name, AT_FDCWD, NULL, REAL(truncate64)(name, size)) }

/* Opening counts where it makes a file, or empties one. */
#define OPENING(folder, real, ...) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list more; \
    va_start(more, flags); \
    mode = va_arg(more, mode_t); \
    va_end(more); \
  } \
  char path[LONGEST]; \
  if (shared->armed && (flags & O_ACCMODE) != O_RDONLY && path_at(folder, name, path)) { \
    struct stat seen; \
    if (flags & O_TRUNC || (flags & O_CREAT && stat(path, &seen) != 0)) { \
      enum verdict verdict = step("create", path, NULL, 0); \
      REFUSED_IF(verdict) \
    } \
  } \
  return REAL(real)(__VA_ARGS__, flags, mode);

int open(const char *name, int flags, ...) { OPENING(AT_FDCWD, open, name) }
int open64(const char *name, int flags, ...) { OPENING(AT_FDCWD, open64, name) }
int openat(int folder, const char *name, int flags, ...) { OPENING(folder, openat, folder, name) }
int openat64(int folder, const char *name, int flags, ...) { OPENING(folder, openat64, folder, name) }
