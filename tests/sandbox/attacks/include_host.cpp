// The preprocessor as an oracle for which host files there are.
#if __has_include("/root/.bashrc") || __has_include("/etc/shadow") || __has_include("/var/lib/dpkg/status") || __has_include("/etc/machine-id") || __has_include("/sys/kernel/uevent_seqnum")
#define SAYS "LEAK:host-file-at-compile-time"
#else
#define SAYS "CONTAINED"
#endif
#include <cstdio>
int main() { puts(SAYS); }
