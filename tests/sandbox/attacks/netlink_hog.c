/* Answers that nobody reads wait in netlink sockets, charged to no group: many processes with many
   sockets each, and the largest buffers. Bounded for the whole sandbox. */
#include "probe.h"
#include <linux/netlink.h>
#include <sys/socket.h>
/* SO_MEMINFO: bytes that wait, and how many may. */
static unsigned waiting(int fd, unsigned *most) {
    unsigned figures[16] = {0};
    socklen_t size = sizeof figures;
    getsockopt(fd, SOL_SOCKET, 55, figures, &size);
    if (most) *most = figures[1];
    return figures[0];
}
static long fill(int fd) {
    struct { struct nlmsghdr head; char rest[4000]; } message = {{.nlmsg_len = sizeof message, .nlmsg_type = 0x7000, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}, {0}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    unsigned most = 0;
    for (int n = 0; n < 4000 && waiting(fd, &most) < most; n += 16)
        for (int k = 0; k < 16; k++) sendto(fd, &message, sizeof message, 0, (void *)&kernel, sizeof kernel);
    return waiting(fd, 0);
}
int main(void) {
    require_walls();
    int ends[2];
    if (pipe(ends)) return 1;
    for (int n = 0; n < 20; n++) {
        if (fork() > 0) continue;
        long taken[2] = {0, 0};
        for (int fd; taken[0] < 60 && (fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0)) >= 0; taken[0]++) {
            int size = 1 << 30;
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
            if (n % 4 == 0) taken[1] += fill(fd);
        }
        if (write(ends[1], taken, sizeof taken)) pause();
    }
    long sockets = 0, bytes = 0, taken[2];
    for (int n = 0; n < 20; n++) {
        if (read(ends[0], taken, sizeof taken) != sizeof taken) return 1;
        sockets += taken[0];
        bytes += taken[1];
    }
    printf("%s %ld sockets %ld MiB\n", sockets > 560 || bytes >> 20 > 250 ? "LEAK:uncounted-memory" : "CONTAINED", sockets, bytes >> 20);
    return 0;
}
