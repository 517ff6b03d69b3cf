/* Burns system time rather than user time. */
#include "probe.h"
int main(void) { int fd = open("/dev/zero", O_RDONLY); static char b[1 << 20]; for (;;) if (read(fd, b, sizeof b) < 0) return 1; }
