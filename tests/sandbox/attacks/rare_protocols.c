/* Transport protocols that no program here needs, inside the families that are allowed. */
#include "probe.h"
#include <sys/socket.h>
int main(void) {
    const struct { const char *name; int type, protocol; } tries[] = {
        {"sctp", SOCK_SEQPACKET, 132}, {"sctp stream", SOCK_STREAM, 132}, {"dccp", 6, 33},
        {"udplite", SOCK_DGRAM, 136}, {"mptcp", SOCK_STREAM, 262}, {"smc", SOCK_STREAM, 256},
        {"l2tp", SOCK_DGRAM, 115}, {"seqpacket", SOCK_SEQPACKET, 0}, {"rdm", SOCK_RDM, 0}, {"raw", SOCK_RAW, 255}};
    for (unsigned i = 0; i < sizeof tries / sizeof *tries; i++)
        for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET) {
            int fd = socket(family, tries[i].type, tries[i].protocol);
            char name[40];
            snprintf(name, sizeof name, "%s family %d", tries[i].name, family);
            if (fd >= 0) { probe_leak(name, "open"); close(fd); }
            else probe_note(name, strerrorname_np(errno));
        }
    return finish();
}
