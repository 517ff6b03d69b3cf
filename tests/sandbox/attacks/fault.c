/* Ends by the fault that argv[1] names. */
#include "probe.h"
static int deep(volatile char *above) { volatile char here[4096]; here[0] = above ? above[0] : 1; return deep(here) + here[0]; }
int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "";
    if (!strcmp(kind, "null")) *(volatile int *)0 = 1;
    if (!strcmp(kind, "stack")) return deep(0);
    if (!strcmp(kind, "abort")) abort();
    if (!strcmp(kind, "divide")) { volatile int one = 1, zero = 0; one = one / zero; return one; }
    if (!strcmp(kind, "bus")) raise(SIGBUS);
    if (!strcmp(kind, "trap")) __builtin_trap();
    if (!strcmp(kind, "pipe")) raise(SIGPIPE);
    if (!strcmp(kind, "exit")) return atoi(argv[2]);
    return 99;
}
