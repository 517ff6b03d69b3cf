/* Raises its stack as far as it may, and says how far. */
#include "probe.h"
#include <sys/resource.h>
int main(void) {
    struct rlimit stack;
    getrlimit(RLIMIT_STACK, &stack);
    holds("bounded", stack.rlim_max <= 1L << 30);
    return finish();
}
