/* Floods both from many processes at once, byte by byte. */
#include "probe.h"
int main(void) { for (int i = 0; i < 4; i++) fork(); for (;;) if (write(1, "o", 1) < 0 || write(2, "e", 1) < 0) return 1; }
