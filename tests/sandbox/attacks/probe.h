/* What the C and C++ attacks share: attempts that must fail, facts that must hold. */
#ifndef PROBE_H
#define PROBE_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static char probe_leaks[8192], probe_notes[16384];

static void probe_note(const char *name, const char *what) {
    size_t used = strlen(probe_notes);
    snprintf(probe_notes + used, sizeof probe_notes - used, "%s=%s\n", name, what);
}

static void probe_leak(const char *name, const char *what) {
    size_t used = strlen(probe_leaks);
    snprintf(probe_leaks + used, sizeof probe_leaks - used, "%s%s(%s)", used ? "," : "", name, what);
}

static void holds(const char *name, int condition) {
    probe_note(name, condition ? "yes" : "no");
    if (!condition) probe_leak(name, "no");
}

/* errno of a refusal by policy; anything else reached what it should not have reached. */
static int refused(int code) {
    return code == EPERM || code == EACCES || code == EROFS || code == ENOENT || code == ENOSYS ||
           code == ENXIO || code == ENODEV || code == ENOTDIR || code == ESRCH || code == EXDEV ||
           code == ELOOP;
}

/* result: what the call returned, with errno set where it is -1. */
static void attempt(const char *name, long result) {
    int code = errno;
    if (result != -1) {
        probe_note(name, "done");
        probe_leak(name, "done");
        return;
    }
    probe_note(name, strerrorname_np(code) ? strerrorname_np(code) : "?");
    if (!refused(code)) probe_leak(name, strerrorname_np(code) ? strerrorname_np(code) : "?");
}

/* A system call in a child, so that a filter that kills is seen as a refusal. Only EPERM, EACCES
   and ENOSYS are refusals: EFAULT or EINVAL would mean that the kernel's code was reached. */
static void attempt_syscall(const char *name, long number, long a, long b, long c, long d, long e, long f) {
    pid_t pid = fork();
    if (pid == 0) {
        errno = 0;
        long result = syscall(number, a, b, c, d, e, f);
        _exit(result == -1 ? errno & 0xff : 0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0) { probe_leak(name, "no child"); return; }
    if (WIFSIGNALED(status)) { probe_note(name, "killed"); return; }
    int code = WEXITSTATUS(status);
    const char *word = code == 0 ? "done" : strerrorname_np(code) ? strerrorname_np(code) : "?";
    probe_note(name, word);
    if (code != EPERM && code != EACCES && code != ENOSYS) probe_leak(name, word);
}

static int finish(void) {
    if (probe_leaks[0]) printf("LEAK:%s\n%s", probe_leaks, probe_notes);
    else printf("CONTAINED\n%s", probe_notes);
    fflush(stdout);
    return 0;
}

/* Destructive programs ask first, so that a hole costs a failed test and not the machine. */
static void require_walls(void) {
    unsigned long inside, outside, count;
    int pids = 0, host = 0;
    FILE *map = fopen("/proc/self/uid_map", "r");
    if (!map) { puts("LEAK:no-uid-map"); exit(0); }
    while (fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3) host |= outside == 0;
    fclose(map);
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    while (proc && (entry = readdir(proc))) pids += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
    if (proc) closedir(proc);
    if (host || !proc || pids >= 64) { puts("LEAK:walls-missing"); exit(0); }
}

static void set_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

static void probe_unused(void) __attribute__((unused));
static void probe_unused(void) {
    (void)holds; (void)attempt; (void)attempt_syscall; (void)finish; (void)require_walls; (void)set_name;
}
#endif
