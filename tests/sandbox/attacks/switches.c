/* Clocks, names, ports, swap, accounting, mounts by the newer calls: the machine's switches. */
#include "probe.h"
#include <sys/mman.h>
#include <sys/personality.h>
static void low_page(const char *name) {
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    attempt(name, page == MAP_FAILED ? -1 : 0);
}
int main(void) {
    static char zero[256];
    zero[0] = 2; /* ADJ_FREQUENCY */
    long now[2] = {1, 1};
    attempt("a core of its own", prctl(62, 1, 0, 0, 0) == -1 && errno == EINVAL ? (errno = EPERM, -1) : 0);
    low_page("page 0");
    personality(0x0100000 | 0x0400000 | 0x0200000 | 0x0800000);
    low_page("page 0 with another personality");
    personality(0);
    attempt("adjtimex", syscall(SYS_adjtimex, zero));
    attempt("clock_adjtime", syscall(SYS_clock_adjtime, 0, zero));
    attempt("clock_settime", syscall(SYS_clock_settime, 0, now));
    attempt("settimeofday", syscall(SYS_settimeofday, now, 0));
    attempt("iopl", syscall(SYS_iopl, 3));
    attempt("ioperm", syscall(SYS_ioperm, 0x80, 1, 1));
    attempt("swapon", syscall(SYS_swapon, "/tmp/swap", 0));
    attempt("swapoff", syscall(SYS_swapoff, "/tmp/swap"));
    attempt("acct", syscall(SYS_acct, 0));
    attempt("quotactl", syscall(SYS_quotactl, 0, 0, 0, 0));
    attempt("syslog", syscall(SYS_syslog, 2, 0, 0));
    attempt("sethostname", syscall(SYS_sethostname, "x", 1));
    attempt("setdomainname", syscall(SYS_setdomainname, "x", 1));
    attempt("open_tree", syscall(428, -100, "/", 1));
    attempt("move_mount", syscall(429, -1, "", -1, "", 0));
    attempt("fsopen", syscall(430, "tmpfs", 0));
    attempt("fspick", syscall(433, -100, "/", 0));
    attempt("statmount", syscall(457, 0, 0, 0, 0));
    attempt("listmount", syscall(458, 0, 0, 0, 0));
    attempt("memfd_secret", syscall(447, 0));
    attempt("what is newer than all tables", syscall(999));
    return finish();
}
