#include <limits.h>
#include <stdio.h>
int main(void) { unsigned u = UINT_MAX; u++; unsigned char c = 255; c++; printf("%u %d %ld %d\n", u, c, LONG_MAX, (int)(char)200); return 0; }
