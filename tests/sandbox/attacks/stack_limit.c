/* The stack is large enough for deep recursion and still ends. */
#include "probe.h"
#include <sys/resource.h>
static int deep(int depth, volatile char *above) { volatile char here[64]; here[0] = above ? above[0] : 0; return depth ? deep(depth - 1, here) + here[0] : 0; }
int main(void) { struct rlimit r; getrlimit(RLIMIT_STACK, &r); printf("%d\n", deep(50000, 0)); puts("CONTAINED"); return 0; }
