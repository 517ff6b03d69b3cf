/* Every byte value from C. */
#include "probe.h"
int main(void) { for (int i = 0; i < 256; i++) { unsigned char c = i; if (write(1, &c, 1) != 1) return 1; } return 0; }
