/* Every socket family but unix, inet, inet6 and route netlink is refused. */
#include "probe.h"
#include <sys/socket.h>
int main(void) {
    int reached = 0;
    for (int family = 0; family < 50; family++) {
        if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
        for (int type = 1; type <= 5; type++) {
            int fd = socket(family, type, 0);
            char name[32];
            snprintf(name, sizeof name, "family %d type %d", family, type);
            if (fd >= 0) { reached++; probe_leak(name, "open"); close(fd); }
            else if (errno != EAFNOSUPPORT && errno != EPERM && errno != EACCES && errno != EINVAL)
                probe_leak(name, strerrorname_np(errno));
        }
    }
    const int netlinks[] = {2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 19, 20, 21, 22};
    for (unsigned i = 0; i < sizeof netlinks / sizeof *netlinks; i++) {
        char name[32];
        snprintf(name, sizeof name, "netlink %d", netlinks[i]);
        int fd = socket(AF_NETLINK, SOCK_RAW, netlinks[i]);
        if (fd >= 0) { probe_leak(name, "open"); close(fd); }
    }
    /* The kernel reads 32 bits of the family: a filter that compares 64 can be fooled. */
    long fd = syscall(SYS_socket, 0x100000000L | 40, 1, 0);
    if (fd >= 0) probe_leak("vsock by high bits", "open");
    fd = syscall(SYS_socket, 0xffffffff00000000UL | 17, 3, 0);
    if (fd >= 0) probe_leak("packet by high bits", "open");
    fd = syscall(SYS_socketpair, 40, 1, 0, 0);
    if (fd >= 0) probe_leak("vsock pair", "open");
    return finish();
}
