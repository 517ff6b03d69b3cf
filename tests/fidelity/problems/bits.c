#include <stdio.h>
#include <stdint.h>
#include <assert.h>
static uint32_t rev(uint32_t x) { uint32_t r = 0; for (int i = 0; i < 32; i++) r = r << 1 | (x >> i & 1); return r; }
int main(void) { assert(rev(1) == 0x80000000u && __builtin_popcount(255) == 8 && __builtin_clz(1) == 31); printf("%x %x %d\n", rev(0x12345678), 0xdeadbeefu ^ 0xffffffffu, -17 >> 2); return 0; }
