/* Sockets in many processes: the kernel charges much of their memory to nobody, so they are counted. */
#include "probe.h"
#include <sys/socket.h>
int main(void) {
    require_walls();
    int ends[2];
    if (pipe(ends)) return 1;
    for (int n = 0; n < 12; n++) {
        if (fork() > 0) continue;
        int taken = 0;
        while (taken < 60 && socket(n % 2 ? AF_INET : AF_NETLINK, n % 2 ? SOCK_STREAM : SOCK_RAW, 0) >= 0) taken++;
        if (write(ends[1], &taken, sizeof taken)) pause();
    }
    int sockets = 0, taken;
    for (int n = 0; n < 12; n++) {
        if (read(ends[0], &taken, sizeof taken) != sizeof taken) return 1;
        sockets += taken;
    }
    printf("%s %d\n", sockets > 560 ? "LEAK:sockets" : sockets < 480 ? "LEAK:too-few" : "CONTAINED", sockets);
    return 0;
}
