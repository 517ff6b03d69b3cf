/* Kernel memory behind socket buffers, and descriptors in flight that no table counts. */
#include "probe.h"
#include <sys/socket.h>
int main(void) {
    require_walls();
    static char piece[65536];
    long total = 0, flown = 0;
    for (int n = 0; n < 2000; n++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends)) break;
        int size = 1 << 30;
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        long got;
        while ((got = send(ends[0], piece, sizeof piece, MSG_NOSIGNAL)) > 0) total += got;
    }
    for (int fd = 3; fd < 4096; fd++) close(fd);
    for (int n = 0; n < 100000; n++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends)) break;
        char control[CMSG_SPACE(sizeof(int) * 2)] = {0}, byte = 'x';
        struct iovec vector = {&byte, 1};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * 2);
        memcpy(CMSG_DATA(header), ends, sizeof ends);
        if (sendmsg(ends[0], &message, 0) < 0) { close(ends[0]); close(ends[1]); break; }
        close(ends[0]);
        close(ends[1]);
        flown++;
    }
    printf("%s %ld MiB %ld in flight\n", total >> 20 > 2048 || flown >= 100000 ? "LEAK:socket-memory" : "CONTAINED", total >> 20, flown);
    return 0;
}
